using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Kubernetes.Readiness;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Applies the recorded manifests of a release.</summary>
internal sealed class ReleaseApplier(Applier applier)
{
    private static readonly GroupVersionKind Pods = new("", "v1", "Pod");

    /// <summary>The manifests as they were recorded, ready to be planned.</summary>
    public static ImmutableArray<Manifest> ToManifests(Release release, IEnumerable<JsonObject> nodes)
    {
        var source = new SourceMap(release.ToString());
        return [.. nodes.Select(node => new Manifest(node, source))];
    }

    /// <summary>Applies them, taking over what somebody changed by hand.</summary>
    /// <returns>What was planned.</returns>
    /// <exception cref="K3sException">The cluster refuses an object.</exception>
    public async Task<DeployPlan> ApplyAsync(
        ClusterApi api, ApplySet set, ImmutableArray<Manifest> manifests, CancellationToken cancellationToken)
    {
        var plan = await Rehearsal.PlanAsync(api, set, manifests, force: true, keepUnchanged: false, cancellationToken);
        await applier.ApplyAsync(api, plan, cancellationToken);
        foreach (var key in manifests.Select(manifest => manifest.Key).Where(key => key.Type is { Group: "apps", Kind: "StatefulSet" }))
        {
            await UnblockAsync(api, await api.ResolveAsync(key, cancellationToken), cancellationToken);
        }

        return plan;
    }

    /// <summary>
    /// Deletes the pods of a StatefulSet that are not ready: its controller waits for a broken pod before it replaces it, also by a
    /// good one (Kubernetes' documentation calls this a forced rollback).
    /// </summary>
    private static async Task UnblockAsync(ClusterApi api, ObjectKey set, CancellationToken cancellationToken)
    {
        if (await api.GetAsync(set, cancellationToken) is not { } node)
        {
            return;
        }

        var pods = await api.ListAsync(Pods, set.Namespace, null, cancellationToken);
        foreach (var pod in pods.Items.Where(pod => pod.IsOwnedBy(node.Uid()) && !PodReadiness.IsReady(pod) && !pod.IsBeingDeleted()))
        {
            await api.DeleteAsync(ObjectKey.Of(pod), cancellationToken, new() { Uid = pod.Uid() });
        }
    }
}
