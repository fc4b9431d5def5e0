using Cake.K3s.Nodes.Ssh;

namespace Cake.K3s.Tests.Nodes;

public sealed class SshArgumentsTests
{
    private static readonly SshFiles Files = new(null, "/app/known_hosts", "/home/me/.ssh");
    private static readonly SshTarget Target = new("node-1", null, null, "node-1");

    [Test]
    public void Should_LeaveToTheConfiguration_When_PortAndUserAreNotSet()
    {
        var arguments = SshArguments.Shell(Target, Files, SshLogin.Persistent);

        Assert.That(arguments, Has.None.EqualTo("-p").And.None.EqualTo("-l").And.None.EqualTo("-F"));
        Assert.That(arguments[^2], Is.EqualTo("node-1"));
    }

    [Test]
    public void Should_KeepOneIdentity_When_ThePortIsAnother() =>
        Assert.That(SshArguments.Shell(Target with { Port = 2222 }, Files, SshLogin.Persistent), Has.Some.EqualTo("HostKeyAlias=node-1"));

    [TestCase(SshLogin.Persistent, "StrictHostKeyChecking=accept-new")]
    [TestCase(SshLogin.Separate, "StrictHostKeyChecking=accept-new")]
    [TestCase(SshLogin.New, "StrictHostKeyChecking=yes")]
    public void Should_PinOnFirstUseAlone_When_LoggingIn(object login, string option) =>
        Assert.That(SshArguments.Shell(Target, Files, (SshLogin)login), Has.Some.EqualTo(option));

    [TestCase(SshLogin.Persistent, true)]
    [TestCase(SshLogin.New, false)]
    public void Should_NotUseThePersistentConnection_When_ALoginIsProved(object login, bool persistent) =>
        Assert.That(SshArguments.Shell(Target, Files, (SshLogin)login).Contains("ControlMaster=auto"), Is.EqualTo(persistent));

    [Test]
    public void Should_DoWithoutAPersistentConnection_When_ThereIsNoPlaceForItsSocket() =>
        Assert.That(SshArguments.Shell(Target, Files with { ControlDirectory = null }, SshLogin.Persistent), Has.Some.EqualTo("ControlMaster=no"));
}
