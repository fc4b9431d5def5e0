using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.Observability;

/// <summary>The logs of all containers are kept outside of them, and can be searched.</summary>
[ProvedBy("manifests, against the types' schemas", "K3s' Helm controller and Loki's answers; Loki and Alloy are not run")]
internal sealed class LogsControl(ControlCluster cluster, ManifestLoader loader, ChartInstaller installer, TimeProvider time)
    : ChartControl(cluster, loader, installer, time)
{
    /// <inheritdoc/>
    public override string Name => "Logs";

    /// <inheritdoc/>
    public override string Protects => "What a pod has said is still known when the pod, or its node, is gone.";

    /// <inheritdoc/>
    protected override string Key => "hardening.logs";

    /// <inheritdoc/>
    protected override ImmutableArray<string>? Folders => Cluster.Hardening.Logs?.FoldersOr("manifests/observability/logs");

    /// <summary>Lines of the last hour have come all the way from containers to Loki.</summary>
    protected override async Task<ImmutableArray<Finding>> MeasureAsync(
        ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var query = Uri.EscapeDataString("sum by (namespace) (count_over_time({namespace=~\".+\"}[1h]))");
        var answer = await api.ServiceJsonAsync("logs", "loki:3100", $"loki/api/v1/query?query={query}", cancellationToken);
        var counts = answer.Objects("data", "result")
            .Select(sample => $"{sample.Text("metric", "namespace")}: {(sample["value"] as JsonArray)?[^1]} lines").ToImmutableArray();
        return counts.IsEmpty
            ? [new(Name, "lines", ControlState.Missing, "Loki has no line of the last hour", [])]
            : [new(Name, "lines", ControlState.InPlace, $"Loki has lines of the last hour from {counts.Length} namespaces", counts)];
    }
}
