using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Objects;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Readiness;

namespace Cake.K3s.Hardening.Cluster.Charts;

/// <summary>
/// Installs charts through K3s' own Helm controller: it applies a HelmChart, the controller runs Helm in a Job. What needs the types
/// that a chart brings comes after that Job.
/// </summary>
internal sealed class ChartInstaller(RolloutWatcher watcher, TimeProvider time)
{
    /// <summary>The type of K3s' Helm controller.</summary>
    public static readonly GroupVersionKind ChartType = new("helm.cattle.io", "v1", "HelmChart");

    // Images of several hundred megabytes are pulled on the way.
    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(15);
    private static readonly GroupVersionKind[] Workloads = [new("apps", "v1", "Deployment"), new("apps", "v1", "StatefulSet"), new("apps", "v1", "DaemonSet")];

    /// <summary>How charts stand that were applied: those that Helm could not install.</summary>
    public static async Task<ImmutableArray<Finding>> AuditAsync(
        string control, ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var findings = ImmutableArray.CreateBuilder<Finding>();
        foreach (var key in Charts(desired))
        {
            if (await api.FindResourceAsync(ChartType, cancellationToken) is not null
                && await api.GetAsync(key, cancellationToken) is { } chart && chart.IsTrue("Failed"))
            {
                findings.Add(new(control, $"{key.Namespace}/{key.Name}", ControlState.Drifted, $"Helm could not install it: {chart.Condition("Failed").Text("message")}", []));
            }
        }

        return findings.ToImmutable();
    }

    /// <summary>Applies namespaces, configuration and charts, waits until they are installed, then applies the rest.</summary>
    /// <returns>What was changed.</returns>
    /// <exception cref="K3sException">A chart was not installed, or an object was refused.</exception>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(
        string control, ClusterApi api, ControlledObjects objects, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var ordered = desired.OrderBy(node => Waves.Of(GroupVersionKind.Of(node))).ThenBy(node => GroupVersionKind.Of(node) != ChartType).ToList();
        var journal = await objects.JournalAsync(cancellationToken);
        if (journal is { IsComplete: true } && (await objects.PlanAsync(ordered, cancellationToken)).IsEmpty)
        {
            return [];
        }

        var first = ordered.TakeWhile(node => Waves.Of(GroupVersionKind.Of(node)) < Wave.Workloads || GroupVersionKind.Of(node) == ChartType).ToList();
        var changes = await objects.ApplyStageAsync(first, cancellationToken);

        // What follows goes through the webhooks of what was installed.
        await RunningAsync(control, api, desired, cancellationToken);
        changes = changes.AddRange(await objects.ApplyStageAsync(ordered[first.Count..], cancellationToken));
        return changes.AddRange(await objects.FinishAsync(ordered, cancellationToken));
    }

    /// <summary>Waits until the charts are installed and all that they run is ready.</summary>
    /// <exception cref="K3sException">Something of it is not ready.</exception>
    public async Task<Finding> VerifyAsync(string control, ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        var workloads = await RunningAsync(control, api, desired, cancellationToken);
        var target = string.Join(", ", workloads.Select(key => key.Namespace).Distinct());
        return workloads.Count > 0
            ? new(control, target, ControlState.InPlace, $"{workloads.Count} workloads are ready", [.. workloads.Select(key => key.ToString())])
            : new(control, target, ControlState.Missing, "the charts are installed, and run nothing", []);
    }

    /// <summary>Waits until the charts are installed and what they run is ready.</summary>
    /// <returns>What they run.</returns>
    private async Task<IReadOnlyList<ObjectKey>> RunningAsync(
        string control, ClusterApi api, IReadOnlyList<JsonObject> desired, CancellationToken cancellationToken)
    {
        await ReadyAsync(control, api, Charts(desired), cancellationToken);
        var namespaces = desired.Where(node => GroupVersionKind.Of(node) == ChartType).Select(node => node.Text("spec", "targetNamespace")!).Distinct();
        var workloads = new List<ObjectKey>();
        foreach (var ns in namespaces)
        {
            foreach (var type in Workloads)
            {
                workloads.AddRange((await api.ListAsync(type, ns, null, cancellationToken)).Items.Select(ObjectKey.Of));
            }
        }

        await ReadyAsync(control, api, workloads, cancellationToken);
        return workloads;
    }

    private static IReadOnlyList<ObjectKey> Charts(IEnumerable<JsonObject> desired) =>
        [.. desired.Where(node => GroupVersionKind.Of(node) == ChartType).Select(ObjectKey.Of)];

    private async Task ReadyAsync(string control, ClusterApi api, IReadOnlyList<ObjectKey> keys, CancellationToken cancellationToken)
    {
        var outcome = await watcher.WatchAsync(api, keys, new RolloutTerms(time.GetUtcNow(), InstallLimit), cancellationToken);
        if (outcome.Failures.FirstOrDefault() is { } failure)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{control}: {failure}",
                failure.Verdict.NextStep ?? $"Harden again when that is mended, or take it back: --target=Undo-{control}.",
                [.. outcome.Failures.Select(other => other.ToString())]);
        }
    }
}
