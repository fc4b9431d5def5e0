using System.Collections.Immutable;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.LegacyFirewallRules;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Hardening.Nodes;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>The controls of UFW's rules, on nodes, tried from inside and outside the allowed ranges.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class FirewallTests
{
    private const string OfCloudflare = "173.245.48.7";
    private const string OfCloudflare6 = "2400:cb00::7";

    private BedNode[] _nodes;

    private static Bed Bed => SharedBed.Bed;

    [OneTimeSetUp]
    public async Task StartAsync() => _nodes = await Bed.AddNodesAsync(3);

    [Test]
    public async Task Should_let_cloudflare_alone_in_to_the_web_ports_When_CloudflareOnly_is_applied()
    {
        var node = _nodes[0];
        await node.ListenAsync(80, 443, 8080);
        await node.RunAsync("ufw allow 22/tcp; ufw allow 80,443/tcp; ufw allow 'WWW Full'; ufw allow 8080/tcp; ufw allow proto tcp from 198.51.0.0/16 to any port 80,443 comment cloudflare; ufw --force enable");
        await Cycle(CloudflareOnly, node).RunAsync(async () =>
        {
            Assert.That(await AnswersAsync(node, OfCloudflare, 80, 443, 8080), Is.EqualTo(new[] { Answer.Open, Answer.Open, Answer.Open }));
            Assert.That(await AnswersAsync(node, OfCloudflare6, 80, 443), Is.EqualTo(new[] { Answer.Open, Answer.Open }));
            Assert.That(await AnswersAsync(node, Outside.Address, 80, 443, 8080), Is.EqualTo(new[] { Answer.Silent, Answer.Silent, Answer.Open }));
            Assert.That(await AnswersAsync(node, Outside.Address6, 80, 443), Is.EqualTo(new[] { Answer.Silent, Answer.Silent }));
        });
        Assert.That(await AnswersAsync(node, Outside.Address, 80, 443), Is.EqualTo(new[] { Answer.Open, Answer.Open }));
    }

    [Test]
    public async Task Should_follow_good_answers_alone_When_the_ranges_are_refreshed()
    {
        const string Fresh = "185.122.0.7";
        await using var cloudflare = await CloudflareServer.StartAsync();
        var node = await Bed.AddNodeAsync();
        await node.ListenAsync(443);
        await node.RunAsync("ufw allow 22; ufw allow 443/tcp; ufw --force enable");
        using var someone = new Operator([node], Hardening);
        var reporter = new RecordingReporter();
        var source = cloudflare.Source(someone.Run.Options.Root, reporter);
        var control = someone.Use((run, fleet) => new CloudflareOnlyControl(run, fleet, source));
        var controls = new ControlSet([control]);
        var refresh = new CloudflareRefresh(someone.Run, source, new Hardener(someone.Run, controls, reporter), controls, reporter);

        await refresh.RefreshAsync();
        Assert.That(await AnswersAsync(node, Outside.Address, 443), Is.All.EqualTo(Answer.Open), "a node that lets everybody in is not closed by a refresh");

        await control.ApplyAsync(default);
        cloudflare.Answer = CloudflareAnswer.Text.Replace("173.245.48.0/20", "185.122.0.0/22");
        await refresh.RefreshAsync();
        Assert.That(reporter.Lines, Has.Some.Contains("+185.122.0.0/22, -173.245.48.0/20"));
        Assert.That(await AnswersAsync(node, Fresh, 443), Is.All.EqualTo(Answer.Open));
        Assert.That(await AnswersAsync(node, OfCloudflare, 443), Is.All.EqualTo(Answer.Silent));

        var rules = await node.StateOfAsync("/etc/ufw");
        foreach (var (bad, why) in new[]
        {
            ("<!DOCTYPE html><html>", "HTML"),
            ("", "empty"),
            (CloudflareAnswer.Text[..300], "only a part"),
            (CloudflareAnswer.Text.Replace("131.0.72.0/22", "131.0.72.0/222400:cb00::/32"), "131.0.72.0/222400:cb00::/32"),
        })
        {
            cloudflare.Answer = bad;
            Assert.That(
                () => refresh.RefreshAsync(),
                Throws.TypeOf<K3sException>().With.Message.Contains("Cloudflare's list of ranges cannot be used: ").And.Message.Contains(why).And.Property(nameof(K3sException.NextStep)).Contains("curl https://api.cloudflare.com"));
        }

        Assert.That(await node.StateOfAsync("/etc/ufw"), Is.EqualTo(rules));
        Assert.That(await source.LastGoodAsync(default), Has.Property("All").Some.Matches<object>(range => $"{range}" == "185.122.0.0/22"));
    }

    [Test]
    public async Task Should_close_the_ports_of_a_swarm_When_LegacyFirewallRules_is_applied()
    {
        var node = _nodes[1];
        await node.ListenAsync(2377, 3000, 6443, 10250);
        await _nodes[2].ListenAsync(6443);
        await node.RunAsync("ufw allow 22/tcp; ufw allow 2377/tcp; ufw allow 7946; ufw allow 4789/udp; ufw allow proto esp from 10.1.1.1; ufw allow 500/udp; ufw allow 3000; ufw allow from 10.42.0.0/16; ufw allow 6443,10250/tcp; ufw --force enable");
        await Cycle(LegacyRules, node, _nodes[2]).RunAsync(async () =>
        {
            Assert.That(await AnswersAsync(node, Outside.Address, 2377, 3000, 6443), Is.EqualTo(new[] { Answer.Silent, Answer.Silent, Answer.Open }));
            Assert.That(await _nodes[2].ConnectAsync(node.Address, 6443), Is.EqualTo(Answer.Open));
        });
        Assert.That(await AnswersAsync(node, Outside.Address, 2377, 3000), Is.EqualTo(new[] { Answer.Open, Answer.Open }));
    }

    [TestCase("true", TestName = "Should_let_in_the_cluster_and_its_operators_alone_When_FirewallBaseline_is_applied")]
    [TestCase("ufw allow 22; ufw allow 6443/tcp; ufw allow 8472/udp; sed -i s/IPV6=yes/IPV6=no/ /etc/default/ufw; ufw default allow; ufw --force enable", TestName = "Should_let_in_the_cluster_and_its_operators_alone_When_FirewallBaseline_is_applied_to_an_open_firewall")]
    public async Task FirewallBaseline(string before)
    {
        var nodes = await Bed.AddNodesAsync(2);
        var (node, other) = (nodes[0], nodes[1]);
        await node.RunAsync(before);
        await node.ListenAsync(80, 2379, 6443, 10250);
        await Cycle(Baseline, node, other).RunAsync(async () =>
        {
            Assert.That(await AnswersAsync(node, Outside.Address, 22, 80, 2379, 6443, 10250), Is.All.EqualTo(Answer.Silent));
            Assert.That(await AnswersAsync(node, Outside.Address6, 22, 80, 2379, 6443, 10250), Is.All.EqualTo(Answer.Silent));
            Assert.That(await AnswersAsync(node, "10.42.3.4", 80, 6443, 10250), Is.All.EqualTo(Answer.Open));
            Assert.That(await AnswersAsync(node, "192.0.2.200", 22, 6443), Is.All.EqualTo(Answer.Open));
            Assert.That(await AnswersAsync(node, "192.0.2.200", 10250), Is.All.EqualTo(Answer.Silent));
            Assert.That(await other.ConnectAsync(node.Address, 2379), Is.EqualTo(Answer.Open));
            Assert.That(await other.ConnectAsync(node.Address6, 10250), Is.EqualTo(Answer.Open));
            Assert.That(await other.ConnectAsync(node.Address, 80), Is.EqualTo(Answer.Silent));
        });
        Assert.That(await AnswersAsync(node, Outside.Address, 22, 6443), Is.All.EqualTo(Answer.Open));
    }

    [Test]
    public async Task Should_refuse_and_change_nothing_When_the_operator_would_be_locked_out()
    {
        var node = await Bed.AddNodeAsync();
        var before = await node.StateOfAsync("/etc");
        foreach (var operators in new ImmutableArray<string>[] { [], ["192.0.2.0/24"] })
        {
            using var someone = new Operator([node], Hardening with { Operators = operators });
            var control = Baseline(someone);
            Assert.That(
                async () => await control.ApplyAsync(default),
                Throws.InstanceOf<K3sException>()
                    .With.Property(nameof(K3sException.Summary)).Contains($"node {node.Name} would lock out {Bed.OperatorAddress}")
                    .And.Property(nameof(K3sException.NextStep)).Contains("hardening.operators"));
        }

        Assert.That(await node.StateOfAsync("/etc"), Is.EqualTo(before));
    }

    [Test]
    public async Task Should_keep_what_others_did_since_When_one_of_two_controls_of_the_same_rules_is_undone()
    {
        var node = await Bed.AddNodeAsync();
        await node.RunAsync("ufw allow 22; ufw allow 80,443/tcp; ufw allow 2377/tcp; ufw --force enable");
        using var someone = new Operator([node], Hardening);
        var controls = new[] { LegacyRules(someone), Baseline(someone), CloudflareOnly(someone) };
        foreach (var control in controls)
        {
            await control.ApplyAsync(default);
        }

        await controls[1].UndoAsync(default);
        Assert.That(await AnswersAsync(node, Outside.Address, 22, 443, 2377), Is.EqualTo(new[] { Answer.Open, Answer.Silent, Answer.Silent }));
        Assert.That(await AnswersAsync(node, OfCloudflare, 443), Is.EqualTo(new[] { Answer.Refused }));

        await controls[2].UndoAsync(default);
        await controls[0].UndoAsync(default);
        Assert.That(await AnswersAsync(node, Outside.Address, 443, 2377), Is.All.EqualTo(Answer.Refused));
    }

    private static async Task<Answer[]> AnswersAsync(BedNode node, string from, params int[] ports) =>
        await Task.WhenAll(ports.Select(port => Bed.Outside.ConnectAsync(from, from.Contains(':') ? node.Address6 : node.Address, port)));

    private static HardeningSettings Hardening => new() { Operators = [Bed.OperatorAddress, "192.0.2.200"], UndoAfter = Duration.FromMinutes(1) };

    private static ControlCycle Cycle(Func<Operator, IControl> make, params BedNode[] nodes) => new(nodes, Hardening, make, "/etc/ufw", "/etc/default/ufw");

    private static IControl LegacyRules(Operator someone) => someone.Use((run, fleet) => new LegacyFirewallRulesControl(run, fleet));

    private static IControl Baseline(Operator someone) => someone.Use((run, fleet) => new FirewallBaselineControl(run, fleet));

    private static IControl CloudflareOnly(Operator someone) => someone.Use((run, fleet) => new CloudflareOnlyControl(run, fleet, CloudflareStandIn.Source(run.Options.Root)));
}
