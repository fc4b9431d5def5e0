using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.LegacyFirewallRules;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class RulePlanTests
{
    private static readonly CloudflareRanges Cloudflare = CloudflareRangesTests.Good;

    private static readonly ClusterAccess Access = new(
        [AddressRange.Parse("10.9.0.12"), AddressRange.Parse("10.9.0.13")],
        AddressRange.Parse("10.42.0.0/16"),
        AddressRange.Parse("10.43.0.0/16"),
        [AddressRange.Parse("192.0.2.7")],
        [22, 2222]);

    [Test]
    public void Should_delete_the_rule_for_everybody_last_When_cloudflare_is_let_in()
    {
        var plan = CloudflareRules.Plan(
            [Rule("allow tcp 80,443 0.0.0.0/0 any 0.0.0.0/0 in"), Rule("allow tcp 80,443 0.0.0.0/0 any 198.51.0.0/16 in comment=636c6f7564666c617265")], Cloudflare, []);

        Assert.That(plan.Commands.SkipLast(2), Has.All.StartsWith("allow proto tcp from ").And.All.EndsWith("port 80,443 comment 'cloudflare'"));
        Assert.That(plan.Commands.TakeLast(2), Is.EqualTo(new[]
        {
            "delete allow proto tcp from 198.51.0.0/16 to any port 80,443",
            "delete allow proto tcp from any to any port 80,443",
        }));
    }

    [Test]
    public void Should_leave_rules_of_the_cluster_and_of_other_ports_alone_When_cloudflare_is_let_in()
    {
        ImmutableArray<UfwRule> rules =
        [
            Rule("allow any any 0.0.0.0/0 any 10.42.0.0/16 in"),
            Rule("allow tcp 80,443 0.0.0.0/0 any 10.42.7.0/24 in"),
            Rule("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"),
            Rule("deny tcp 80 0.0.0.0/0 any 6.6.6.6 in"),
            Rule("allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 out"),
        ];

        Assert.That(CloudflareRules.Plan(rules, Cloudflare, [.. Access.Trusted]).Deletions, Is.Empty);
    }

    [TestCase("allow any any 0.0.0.0/0 any 0.0.0.0/0 in")]
    [TestCase("allow tcp 1:1023 0.0.0.0/0 any 0.0.0.0/0 in")]
    [TestCase("allow tcp 22,80,443 0.0.0.0/0 any 1.0.0.0/8 in")]
    [TestCase("allow any any 0.0.0.0/0 any 0.0.0.0/0 in_eth0")]
    public void Should_name_a_rule_When_it_lets_others_in_to_the_web_ports_and_more(string tuple)
    {
        var rule = Rule(tuple);

        Assert.That(CloudflareRules.TooWide([rule], Cloudflare, [.. Access.Trusted]), Is.EqualTo(new[] { rule }));
        Assert.That(CloudflareRules.Plan([rule], Cloudflare, [.. Access.Trusted]).Deletions, Is.Empty);
    }

    [Test]
    public void Should_delete_swarm_rules_and_nothing_else_When_a_node_was_one_of_a_swarm()
    {
        var plan = LegacyRules.Plan(
        [
            Rule("allow tcp 2377 0.0.0.0/0 any 0.0.0.0/0 in"), Rule("allow tcp 2377 ::/0 any ::/0 in"),
            Rule("allow any 7946 0.0.0.0/0 any 10.0.0.0/8 in"), Rule("allow udp 4789 0.0.0.0/0 any 0.0.0.0/0 in"),
            Rule("allow esp any 0.0.0.0/0 any 10.1.1.1 in"), Rule("allow udp 500 0.0.0.0/0 any 0.0.0.0/0 in"),
            Rule("allow tcp 3000 0.0.0.0/0 any 0.0.0.0/0 in"), Rule("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"),
            Rule("allow tcp 3000,6443 0.0.0.0/0 any 0.0.0.0/0 in"), Rule("deny tcp 2377 0.0.0.0/0 any 6.6.6.6 in"),
            Rule("allow any any 0.0.0.0/0 any 10.42.0.0/16 in"),
        ]);

        Assert.That(plan.Commands, Is.EqualTo(new[]
        {
            "delete allow proto esp from 10.1.1.1 to any",
            "delete allow from 10.0.0.0/8 to any port 7946",
            "delete allow proto tcp from any to any port 2377",
            "delete allow proto udp from any to any port 4789",
            "delete allow proto udp from any to any port 500",
            "delete allow proto tcp from any to any port 3000",
        }));
    }

    [Test]
    public void Should_close_what_is_open_to_everybody_and_keep_what_is_needed_When_the_baseline_is_planned()
    {
        UfwState state = new(true, false, true, [Rule("allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in"), Rule("allow tcp 22 ::/0 any ::/0 in"), Rule("allow udp 8472 0.0.0.0/0 any 0.0.0.0/0 in"), Rule("allow tcp 80 0.0.0.0/0 any 0.0.0.0/0 in")]);
        var plan = BaselineRules.Plan(state.Rules, Access);
        var after = state with { Rules = plan.Steps(state.Rules).Last() };

        Assert.That(plan.Deletions.Select(rule => rule.Text).Distinct(), Is.EquivalentTo(new[] { "allow proto tcp from any to any port 22", "allow proto udp from any to any port 8472" }));
        Assert.That(Access.Needed().Concat((Access with { Encrypted = true }).Needed()).Where(needed => !after.LetsIn(needed)), Is.Empty);
        Assert.That(after.LetsIn(new Access(AddressRange.Parse("198.51.100.7"), "tcp", 22, "")), Is.False);
        Assert.That(after.LetsIn(new Access(AddressRange.Parse("198.51.100.7"), "tcp", 80, "")), Is.True);
    }

    [Test]
    public void Should_arrive_lose_nothing_needed_and_have_nothing_left_to_do_When_any_rules_are_there_before()
    {
        var random = new Random(1);
        for (var i = 0; i < 500; i++)
        {
            UfwState state = new(true, false, true, [.. Enumerable.Range(0, random.Next(12)).Select(_ => RandomRule(random)).DistinctBy(rule => (rule.Text, rule.Source.IsV6))]);
            var needed = Access.Needed().ToList();
            foreach (var plan in new Func<ImmutableArray<UfwRule>, RulePlan>[]
            {
                rules => CloudflareRules.Plan(rules, Cloudflare, [.. Access.Trusted]),
                rules => BaselineRules.Plan(rules, Access),
                rules => LegacyRules.Plan(rules),
            })
            {
                var way = plan(state.Rules);
                var after = way.IsEmpty ? state.Rules : way.Steps(state.Rules).Last();

                Assert.That(plan(after).IsEmpty, Is.True, string.Join('\n', plan(after).Commands));
                Assert.That(way.Losses(state, needed), Is.Empty);
                state = state with { Rules = after };
            }
        }
    }

    [Test]
    public void Should_never_shut_cloudflare_out_When_its_ranges_change()
    {
        var random = new Random(2);
        for (var i = 0; i < 200; i++)
        {
            var next = Cloudflare with { V4 = [.. Cloudflare.V4.Where(_ => random.Next(4) > 0), AddressRange.Parse($"99.{random.Next(256)}.0.0/16")] };
            UfwState state = new(true, false, true, [.. CloudflareRules.Wanted(Cloudflare)]);
            var plan = CloudflareRules.Plan(state.Rules, next, []);
            var kept = next.All.Where(Cloudflare.All.Contains).Select(range => new Access(range, "tcp", 443, ""));

            Assert.That(plan.Losses(state, kept), Is.Empty);
            Assert.That(plan.Steps(state.Rules).Last().Select(rule => rule.Text), Is.EquivalentTo(CloudflareRules.Wanted(next).Select(rule => rule.Text)));
        }
    }

    internal static UfwRule RandomRule(Random random)
    {
        var source = random.Next(3) == 0 ? AddressRange.AnyV4 : AddressRangeTests.RangeOf(random);
        var ports = new[] { "any", "22", "80,443", "80", "443", "2377", "7946", "8472", "6443", "3000,6443", "1:1023" };
        return new UfwRule
        {
            Action = random.Next(5) == 0 ? "limit" : "allow",
            Protocol = new[] { "tcp", "udp", "any" }[random.Next(3)],
            Source = source,
            Destination = source.IsV6 ? AddressRange.AnyV6 : AddressRange.AnyV4,
            Ports = PortSet.Parse(ports[random.Next(ports.Length)])!,
            InDevice = random.Next(8) == 0 ? string.Create(CultureInfo.InvariantCulture, $"eth{random.Next(2)}") : null,
        };
    }

    private static UfwRule Rule(string tuple) => UfwRule.Parse("### tuple ### " + tuple)!;
}
