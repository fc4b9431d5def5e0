using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.WireGuard;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class MeshRulesTests
{
    private static readonly ClusterAccess Access = new(
        [AddressRange.Parse("10.9.0.12"), AddressRange.Parse("2001:db8::12")],
        AddressRange.Parse("10.42.0.0/16"),
        AddressRange.Parse("10.43.0.0/16"),
        [AddressRange.Parse("192.0.2.7")],
        [22])
    {
        PrivateRange = [AddressRange.Parse("10.0.0.0/24")],
    };

    [Test]
    public void Should_let_every_other_node_in_to_wireguard_and_delete_nothing_When_opened()
    {
        var plan = MeshRules.Open(On(Rule("allow udp 8472 0.0.0.0/0 any 10.9.0.12 in")), Access);

        Assert.That(plan.Deletions, Is.Empty);
        Assert.That(plan.Additions.Select(rule => rule.Text), Is.EqualTo(new[]
        {
            "allow proto udp from 10.9.0.12 to any port 51820,51821",
            "allow proto udp from 2001:db8::12 to any port 51820,51821",
            "allow proto udp from 10.0.0.0/24 to any port 51820,51821",
        }));
    }

    [TestCase("allow udp 8472 0.0.0.0/0 any 0.0.0.0/0 in", true)]
    [TestCase("limit udp 8472 0.0.0.0/0 any 10.9.0.12 in", true)]
    [TestCase("allow any 8472 0.0.0.0/0 any 10.9.0.12 in", true)]
    [TestCase("allow udp 8472,51820,51821 0.0.0.0/0 any 10.9.0.12 in", true)]
    [TestCase("allow udp 8472,9000 0.0.0.0/0 any 10.9.0.12 in", false)]
    [TestCase("allow udp 8000:9000 0.0.0.0/0 any 10.9.0.12 in", false)]
    [TestCase("allow any any 0.0.0.0/0 any 10.42.0.0/16 in", false)]
    [TestCase("deny udp 8472 0.0.0.0/0 any 6.6.6.6 in", false)]
    [TestCase("allow udp 8472 0.0.0.0/0 any 0.0.0.0/0 out", false)]
    [TestCase("allow udp 51820 0.0.0.0/0 any 10.9.0.12 in", false)]
    public void Should_delete_a_rule_When_it_lets_in_to_vxlan_and_is_about_the_pods_network_alone(string tuple, bool goes)
    {
        var rule = Rule(tuple);

        Assert.That(MeshRules.Close(On(rule), Access).Deletions, goes ? Is.EqualTo(new[] { rule }) : Is.Empty);
    }

    [Test]
    public void Should_do_nothing_When_the_firewall_is_off()
    {
        var off = On(Rule("allow udp 8472 0.0.0.0/0 any 0.0.0.0/0 in")) with { Enabled = false };

        Assert.That(MeshRules.Open(off, Access).IsEmpty && MeshRules.Close(off, Access).IsEmpty);
    }

    [Test]
    public void Should_keep_the_other_nodes_on_the_present_network_and_come_to_rest_When_any_rules_are_there_before()
    {
        var random = new Random(3);
        for (var i = 0; i < 500; i++)
        {
            var state = On([.. Enumerable.Range(0, random.Next(10)).Select(_ => RulePlanTests.RandomRule(random)).DistinctBy(rule => (rule.Text, rule.Source.IsV6))]);
            var open = MeshRules.Open(state, Access);
            Assert.That(open.Losses(state, [.. Access.Needed(), .. (Access with { Encrypted = true }).Needed()]), Is.Empty, "opening costs nothing");
            var opened = After(state, open);
            Assert.That(opened.Rules, Is.SupersetOf(state.Rules));
            Assert.That(MeshRules.Open(opened, Access).IsEmpty);

            var close = MeshRules.Close(opened, Access);
            Assert.That(close.Losses(opened, (Access with { Encrypted = true }).Needed()), Is.Empty, "closing costs nothing of the encrypted network");
            var closed = After(opened, close);
            Assert.That(MeshRules.Open(closed, Access).IsEmpty && MeshRules.Close(closed, Access).IsEmpty);

            // The firewall's own control asks for nothing more about the network's ports, as it would in each run.
            Assert.That(
                BaselineRules.Plan(closed.Rules, Access with { Encrypted = true }).Additions.Where(rule => rule.Ports.Contains(ClusterAccess.Vxlan) && !rule.Ports.IsAny),
                Is.Empty);
        }
    }

    private static UfwState After(UfwState state, RulePlan plan) => plan.IsEmpty ? state : state with { Rules = plan.Steps(state.Rules).Last() };

    private static UfwState On(params ImmutableArray<UfwRule> rules) => new(true, false, true, rules);

    private static UfwRule Rule(string tuple) => UfwRule.Parse("### tuple ### " + tuple)!;
}
