using Cake.K3s.Hardening.Nodes.Firewall;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class UfwRuleTests
{
    // Each left side is what UFW 0.36 wrote to its files.
    [TestCase("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in", "allow proto tcp from any to any port 22")]
    [TestCase("allow tcp 22 ::/0 any ::/0 in", "allow proto tcp from any to any port 22")]
    [TestCase("deny any any 0.0.0.0/0 any 6.6.6.6 in", "deny from 6.6.6.6 to any")]
    [TestCase("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 OpenSSH - in", "allow from any to any app 'OpenSSH'")]
    [TestCase("allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 Nginx%20Full - in", "allow from any to any app 'Nginx Full'")]
    [TestCase("allow any 53 0.0.0.0/0 any 0.0.0.0/0 in_host0", "allow in on host0 from any to any port 53")]
    [TestCase("limit tcp 23 0.0.0.0/0 any 0.0.0.0/0 in", "limit proto tcp from any to any port 23")]
    [TestCase("route:allow any 25 1.2.3.4 any 0.0.0.0/0 in_host0!out_lo", "route allow in on host0 out on lo from any to 1.2.3.4 port 25")]
    [TestCase("allow esp any 0.0.0.0/0 any 10.1.1.1 in", "allow proto esp from 10.1.1.1 to any")]
    [TestCase("deny any 25 0.0.0.0/0 any 0.0.0.0/0 out", "deny out from any to any port 25")]
    [TestCase("allow_log any 99 0.0.0.0/0 any 0.0.0.0/0 in", "allow log from any to any port 99")]
    [TestCase("allow tcp 7000:7100 0.0.0.0/0 any 0.0.0.0/0 in", "allow proto tcp from any to any port 7000:7100")]
    [TestCase("allow tcp 80,443 ::/0 any 2001:db8::/32 in comment=63662078", "allow proto tcp from 2001:db8::/32 to any port 80,443")]
    public void Should_say_a_rule_in_full_When_it_is_read_from_ufw(string tuple, string text) =>
        Assert.That(UfwRule.Parse("### tuple ### " + tuple)?.Text, Is.EqualTo(text));

    [TestCase("### tuple ### allow tcp 22 0.0.0.0/0 any in")]
    [TestCase("### tuple ### allow tcp ssh 0.0.0.0/0 any 0.0.0.0/0 in")]
    [TestCase("### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/33 in")]
    [TestCase("-A ufw-user-input -p tcp --dport 22 -j ACCEPT")]
    public void Should_read_no_rule_When_a_line_is_not_one(string line) => Assert.That(UfwRule.Parse(line), Is.Null);

    [Test]
    public void Should_refuse_to_work_on_rules_When_one_of_them_cannot_be_read() =>
        Assert.That(() => UfwState.Parse("ENABLED=yes\n### tuple ### new format"), Throws.TypeOf<FormatException>().With.Message.Contains("new format"));

    [Test]
    public void Should_keep_a_comment_When_it_is_hexadecimal() =>
        Assert.That(UfwRule.Parse("### tuple ### allow any 1 0.0.0.0/0 any 0.0.0.0/0 in comment=63662078")?.Comment, Is.EqualTo("cf x"));

    [TestCase("10.0.0.1", "tcp", 22, true, TestName = "Should_let_in_When_a_rule_allows")]
    [TestCase("10.9.0.1", "tcp", 22, false, TestName = "Should_not_let_in_When_a_rule_before_it_denies")]
    [TestCase("10.8.0.0/13", "tcp", 22, false, TestName = "Should_not_let_in_When_a_rule_before_it_denies_a_part")]
    [TestCase("10.0.0.1", "tcp", 23, false, TestName = "Should_not_let_in_When_the_rule_is_for_one_device")]
    [TestCase("10.0.0.1", "udp", 22, false, TestName = "Should_not_let_in_When_the_rule_is_for_another_protocol")]
    [TestCase("11.0.0.1", "tcp", 22, false, TestName = "Should_not_let_in_When_no_rule_matches")]
    public void Should_decide_by_the_first_rule_that_matches_When_a_connection_comes_in(string source, string protocol, int port, bool expected)
    {
        var state = UfwState.Parse("""
            ENABLED=yes
            DEFAULT_INPUT_POLICY="DROP"
            ### tuple ### deny any any 0.0.0.0/0 any 10.9.0.0/16 in
            ### tuple ### allow tcp 22 0.0.0.0/0 any 10.0.0.0/8 in
            ### tuple ### allow tcp 23 0.0.0.0/0 any 10.0.0.0/8 in_host0
            ### tuple ### route:allow any any 0.0.0.0/0 any 0.0.0.0/0 in_host0
            """);

        Assert.That(state.LetsIn(new Access(AddressRange.Parse(source), protocol, port, "")), Is.EqualTo(expected));
    }
}
