using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.Observability;

/// <summary>Prometheus measures the cluster and the app, and raises alerts for what takes a stack like this one down.</summary>
[ProvedBy("alerts, queries and the message to Slack: Debian's Prometheus and Alertmanager; manifests, against the types' schemas", "K3s' Helm controller; the charts are not run")]
internal sealed class MonitoringControl(ControlCluster cluster, ManifestLoader loader, ChartInstaller installer, TimeProvider time)
    : ChartControl(cluster, loader, installer, time)
{
    /// <inheritdoc/>
    public override string Name => "Monitoring";

    /// <inheritdoc/>
    public override string Protects => "What is about to go down is seen, and somebody is told, before its users tell it.";

    /// <inheritdoc/>
    protected override string Key => "hardening.monitoring";

    /// <inheritdoc/>
    protected override ImmutableArray<string>? Folders => Cluster.Hardening.Monitoring?.FoldersOr("manifests/observability/monitoring");

    /// <summary>Everything that Prometheus should measure answers, and every alert is loaded.</summary>
    protected override async Task<ImmutableArray<Finding>> MeasureAsync(
        ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var targets = await api.PrometheusJsonAsync("api/v1/targets?state=active", cancellationToken);
        var rules = await api.PrometheusJsonAsync("api/v1/rules?type=alert", cancellationToken);
        return [Targets(targets), Alerts(rules, desired)];
    }

    private Finding Targets(JsonObject answer)
    {
        var active = answer.Objects("data", "activeTargets").ToList();
        var down = active.Where(target => target.Text("health") != "up")
            .Select(target => $"{target.Text("scrapePool")} {target.Text("scrapeUrl")}: {target.Text("lastError")}").ToImmutableArray();
        return active.Count > 0 && down.IsEmpty
            ? new(Name, "targets", ControlState.InPlace, $"all {active.Count} targets are up", [])
            : new(Name, "targets", ControlState.Missing, $"{down.Length} of {active.Count} targets are not up", down);
    }

    private Finding Alerts(JsonObject answer, IReadOnlyList<JsonObject> desired)
    {
        var loaded = answer.Objects("data", "groups").SelectMany(group => group.Objects("rules"))
            .Where(rule => rule.Text("health") == "ok").Select(rule => rule.Text("name")).ToHashSet();
        var wanted = desired.Where(node => node.Text("kind") == "PrometheusRule")
            .SelectMany(node => node.Objects("spec", "groups")).SelectMany(group => group.Objects("rules"))
            .Select(rule => rule.Text("alert")).OfType<string>().ToList();
        var missing = wanted.Where(alert => !loaded.Contains(alert)).ToImmutableArray();
        return missing.IsEmpty
            ? new(Name, "alerts", ControlState.InPlace, $"all {wanted.Count} alerts are loaded and evaluated", [])
            : new(Name, "alerts", ControlState.Missing, $"{missing.Length} of {wanted.Count} alerts are not loaded", missing);
    }
}
