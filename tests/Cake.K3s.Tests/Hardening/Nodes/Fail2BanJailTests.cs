using Cake.K3s.Hardening.Nodes.Fail2Ban;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class Fail2BanJailTests
{
    private static readonly string[] Lines = Fail2BanJail.File([2222, 22, 2222], ["192.0.2.7"], ["10.9.0.11", "192.0.2.7", "10.42.0.0/16"]).Split('\n');

    [Test]
    public void Should_name_each_port_once_When_ssh_moves() => Assert.That(Lines, Has.Some.EqualTo("port = 22,2222"));

    [Test]
    public void Should_never_ban_operators_nodes_and_pods() => Assert.That(Lines, Has.Some.EqualTo("ignoreip = 127.0.0.1/8 ::1 192.0.2.7 10.9.0.11 10.42.0.0/16"));

    [Test]
    public void Should_ask_no_name_server_before_it_bans() => Assert.That(Lines, Has.Some.EqualTo("ignoreself = false").And.Some.EqualTo("usedns = no"));

    [Test]
    public void Should_say_who_wrote_it_When_no_operators_are_named() => Assert.That(Lines, Has.Some.EqualTo(Fail2BanJail.OperatorMark + "192.0.2.7"));
}
