using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster.Alerting;

/// <summary>The alerts and dashboards of this repository, read by the real promtool, Prometheus and Alertmanager.</summary>
internal sealed partial class AlertTests
{
    private const string Cases = "tests/Cake.K3s.IntegrationTests/Hardening/Cluster/Alerting/alerts.test.yaml";
    private const string Exporters = "tests/Cake.K3s.IntegrationTests/Hardening/Cluster/Alerting/exporters.txt";

    [Test]
    public async Task Should_fire_for_what_each_alert_is_for_and_be_silent_while_all_is_well()
    {
        var rules = await PrometheusServer.RulesAsync();
        var cases = await File.ReadAllTextAsync(Path.Combine(TestSandbox.RepositoryRoot, Cases));

        var output = await PromtoolAsync(rules, cases, "test", "rules", "cases.yaml");

        Assert.That(output, Does.Contain("SUCCESS"));
        Assert.That(AlertsOf(rules).Where(alert => !cases.Contains(alert, StringComparison.Ordinal)), Is.Empty, "alerts without a case");
    }

    [Test]
    public async Task Should_say_how_bad_it_is_and_what_to_do_in_every_alert() => Assert.That(
        (await PrometheusServer.RulesAsync()).Objects("groups").SelectMany(group => group.Objects("rules")).Where(rule =>
            rule.Text("labels", "severity") is not ("warning" or "critical") || rule.Text("annotations", "summary") is null || rule.Text("annotations", "action") is null),
        Is.Empty);

    [Test]
    public async Task Should_ask_only_for_what_an_exporter_measures()
    {
        var expressions = await ExpressionsAsync();
        var known = File.ReadLines(Path.Combine(TestSandbox.RepositoryRoot, Exporters)).Where(line => !line.StartsWith('#')).Select(line => line.Split(' ')[0]).ToHashSet();
        var rules = new JsonObject
        {
            ["groups"] = new JsonArray(new JsonObject
            {
                ["name"] = "all",
                ["rules"] = new JsonArray([.. expressions.Select((expression, number) => new JsonObject { ["record"] = $"r:{number}", ["expr"] = expression })]),
            }),
        };

        await PromtoolAsync(rules, "{}", "check", "rules", "rules.yaml");
        Assert.That(expressions, Has.Count.GreaterThan(20));
        Assert.That(expressions.SelectMany(expression => Metric.Matches(expression)).Select(match => match.Value).Distinct().Where(name => !known.Contains(name)), Is.Empty);
    }

    [Test]
    public async Task Should_reach_Slack_When_an_alert_fires()
    {
        var told = new BlockingCollection<JsonObject>();
        await using var host = await ApiHost.StartAsync(async (context, next) =>
        {
            switch (context.Request.Path.Value)
            {
                case "/metrics":
                    await context.Response.WriteAsync("kube_job_failed{namespace=\"shop\",job_name=\"honeydue-migrate-7\",condition=\"true\"} 1\n");
                    break;
                case "/hook":
                    told.Add((await JsonNode.ParseAsync(context.Request.Body))!.AsObject());
                    await context.Response.WriteAsync("ok");
                    break;
                default:
                    await next(context);
                    break;
            }
        });
        var receiver = (await CustomTypes.LoadAsync("manifests/observability/monitoring-slack", "ALERTS_SLACK_URL")).Single(node => node.Text("kind") == "AlertmanagerConfig");
        await using var server = await PrometheusServer.StartAsync(host.Address, await PrometheusServer.RulesAsync(), AsAlertmanagerReadsIt(receiver, new Uri(host.Address, "/hook")));

        Assert.That(told.TryTake(out var message, TimeSpan.FromMinutes(2)), Is.True, "nobody was told");
        var attachment = message!["attachments"]![0]!;
        Assert.That(
            (attachment["title"]!.ToString(), attachment["text"]!.ToString()),
            Is.EqualTo(("FIRING MigrationFailed", "shop: the migration honeydue-migrate-7 failed\nkubectl -n shop logs job/honeydue-migrate-7\n")));
    }

    /// <summary>What prometheus-operator makes of an AlertmanagerConfig: the same in other words. The first message waits for no others.</summary>
    private static JsonObject AsAlertmanagerReadsIt(JsonObject resource, Uri hook)
    {
        var spec = Renamed(resource["spec"]!).AsObject();
        var route = spec["route"]!.DeepClone().AsObject();
        route["matchers"] = new JsonArray([.. route.Objects("matchers").Select(matcher => (JsonNode)$"{matcher.Text("name")}{matcher.Text("match_type")}\"{matcher.Text("value")}\"")]);
        route["group_wait"] = "0s";
        foreach (var slack in spec.Objects("receivers").SelectMany(known => known.Objects("slack_configs")))
        {
            slack["api_url"] = hook.AbsoluteUri;
        }

        spec["receivers"]!.AsArray().Add(new JsonObject { ["name"] = "null" });
        spec["route"] = new JsonObject { ["receiver"] = "null", ["routes"] = new JsonArray(route) };
        return spec;
    }

    private static JsonNode Renamed(JsonNode node) => node switch
    {
        JsonObject members => new JsonObject(members.Select(member => KeyValuePair.Create(JsonNamingPolicy.SnakeCaseLower.ConvertName(member.Key), member.Value is null ? null : Renamed(member.Value)))),
        JsonArray items => new JsonArray([.. items.Select(item => Renamed(item!))]),
        _ => node.DeepClone(),
    };

    private static IEnumerable<string> AlertsOf(JsonObject rules) => rules.Objects("groups").SelectMany(group => group.Objects("rules")).Select(rule => rule.Text("alert")!);

    /// <summary>Those of the alerts, and of the panels of the dashboards.</summary>
    private static async Task<IReadOnlyList<string>> ExpressionsAsync()
    {
        var dashboards = await CustomTypes.LoadAsync("manifests/observability/monitoring/dashboards.yaml");
        return
        [
            .. (await PrometheusServer.RulesAsync()).Objects("groups").SelectMany(group => group.Objects("rules")).Select(rule => rule.Text("expr")!),
            .. dashboards.SelectMany(map => map.Texts("data")).SelectMany(file => JsonNode.Parse(file.Value)!.AsObject().Objects("panels"))
                .SelectMany(panel => panel.Objects("targets")).Select(target => target.Text("expr")!),
        ];
    }

    private static async Task<string> PromtoolAsync(JsonObject rules, string cases, params string[] arguments)
    {
        var directory = Directory.CreateTempSubdirectory("promtool-test-");
        try
        {
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "rules.yaml"), rules.ToJsonString());
            await File.WriteAllTextAsync(Path.Combine(directory.FullName, "cases.yaml"), cases);
            var result = await ExternalTools.Commands.RunAsync(
                new Command(Path.Combine(await PrometheusServer.ProgramsAsync(), "usr/bin/promtool"), arguments) { WorkingDirectory = directory.FullName }, default);
            return result.StandardOutput;
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [GeneratedRegex(@"\b(?:kube|node|traefik|etcd|container|k3s)_[A-Za-z0-9_]+")]
    private static partial Regex Metric { get; }
}
