using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>
/// Stands in for K3s' Helm controller, which the sandbox does not have: a HelmChart gets a Job that is done at once, the types that its
/// chart would bring, and a workload; a chart that is deleted goes when that is gone. It runs no Helm.
/// </summary>
internal sealed class HelmStandIn : IAsyncDisposable
{
    private const string Finalizer = "wrangler.cattle.io/on-helm-chart-remove";
    private static readonly GroupVersionKind Charts = new("helm.cattle.io", "v1", "HelmChart");
    private readonly CancellationTokenSource _ending = new();
    private readonly Task _work;

    /// <summary>Begins to watch.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="group">The schemas that a chart brings; null for none.</param>
    public HelmStandIn(ClusterApi api, string? group) => _work = RunAsync(api, group, _ending.Token);

    /// <summary>The charts that cannot be installed.</summary>
    public HashSet<string> Broken { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _ending.CancelAsync();
        await _work;
        _ending.Dispose();
    }

    private async Task RunAsync(ClusterApi api, string? group, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in api.WatchAsync(Charts, null, null, cancellationToken))
            {
                if (change.Type is WatchEventType.Added or WatchEventType.Modified)
                {
                    try
                    {
                        await ReconcileAsync(api, change.Object!, group);
                    }
                    catch (KubernetesApiException gone) when (gone.IsNotFound || gone.IsConflict)
                    {
                        // The chart was deleted or changed meanwhile: its next event is seen to.
                    }
                }
            }
        }
        catch (Exception) when (cancellationToken.IsCancellationRequested)
        {
            // The test is over, and its connection may break in any way.
        }
    }

    private async Task ReconcileAsync(ClusterApi api, JsonObject chart, string? group)
    {
        var (name, ns, target) = (chart.ObjectName()!, chart.NamespaceName(), chart.Text("spec", "targetNamespace"));
        var key = ObjectKey.Of(chart);
        if (chart.Text("metadata", "deletionTimestamp") is not null)
        {
            await api.DeleteAsync(new(new("apps", "v1", "DaemonSet"), target, name), default);
            await api.PatchAsync(key, PatchType.Merge, Node("""{"metadata": {"finalizers": null}}"""), default);
            return;
        }

        if (chart.Text("status", "jobName") is not null)
        {
            return;
        }

        await api.PatchAsync(key, PatchType.Merge, Node($$$"""{"metadata": {"finalizers": ["{{{Finalizer}}}"]}}"""), default);
        if (Broken.Contains(name))
        {
            await StatusAsync(api, key, """{"jobName": "x", "conditions": [{"type": "Failed", "status": "True", "reason": "Failed", "message": "no such chart"}]}""");
            return;
        }

        if (group is not null)
        {
            await CustomTypes.DefineAsync(api, group);
        }

        // A DaemonSet without nodes is ready when its controller has seen it.
        await api.ApplyAsync(
            Node($$$"""
                {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "{{{name}}}", "namespace": "{{{target}}}"},
                 "spec": {"selector": {"matchLabels": {"app": "{{{name}}}"}}, "template": {"metadata": {"labels": {"app": "{{{name}}}"}}, "spec": {"containers": [{"name": "main", "image": "chart"}]} } } }
                """),
            default);
        await StatusAsync(api, new(new("apps", "v1", "DaemonSet"), target, name), """{"observedGeneration": 1, "desiredNumberScheduled": 0, "currentNumberScheduled": 0, "numberReady": 0, "numberMisscheduled": 0}""");
        var job = new ObjectKey(new("batch", "v1", "Job"), ns, "helm-install-" + name);
        await api.ApplyAsync(
            Node($$$"""
                {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "{{{job.Name}}}", "namespace": "{{{ns}}}"},
                 "spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "helm", "image": "helm"}]} } } }
                """),
            default);
        await StatusAsync(api, job, """{"succeeded": 1, "conditions": [{"type": "Complete", "status": "True"}]}""");
        await StatusAsync(api, key, $$"""{"jobName": "{{job.Name}}"}""");
    }

    private static Task StatusAsync(ClusterApi api, ObjectKey key, string status) => api.PatchAsync(
        key, PatchType.Merge, new JsonObject { ["status"] = Node(status) }, default, new() { Subresource = "status" });

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();
}
