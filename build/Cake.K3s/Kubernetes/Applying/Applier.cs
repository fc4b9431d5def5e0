using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>
/// Carries out a plan: wave by wave, many objects at once inside a wave. Whatever it is interrupted by, the same deploy again goes on.
/// </summary>
public sealed class Applier
{
    private static readonly TimeSpan FoundationLimit = TimeSpan.FromSeconds(60);
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    /// <summary>Made by the composition root.</summary>
    public Applier(IReporter reporter, TimeProvider time)
    {
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Applies what a plan says is to be made or changed. Deletes nothing: see <see cref="PruneAsync"/>.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="plan">The plan.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    /// <param name="through">The last wave that is applied; all by default.</param>
    /// <exception cref="K3sException">The plan has objects that the cluster refuses (nothing was changed), or the cluster refused one now.</exception>
    public async Task ApplyAsync(
        ClusterApi api, DeployPlan plan, CancellationToken cancellationToken, Wave through = Wave.Webhooks)
    {
        plan.ThrowIfRefused();
        var parentIsWritten = false;
        foreach (var wave in plan.Objects.Where(item => item.Wave <= through).GroupBy(item => item.Wave).OrderBy(wave => wave.Key))
        {
            if (!parentIsWritten && wave.Key > Wave.Foundation)
            {
                // Before the first member: after a crash the next deploy still finds all of them.
                await WriteParentAsync(api, plan.Set, plan.Recorded, plan.Recorded.Union(Contents(plan)), cancellationToken);
                parentIsWritten = true;
            }

            if (wave.Where(item => item.Change != PlannedChange.None).ToList() is { Count: > 0 } changes)
            {
                await ApplyWaveAsync(api, changes, plan.Force, cancellationToken);
            }

            if (wave.Key == Wave.Foundation)
            {
                await AwaitFoundationAsync(api, wave, cancellationToken);
            }
        }
    }

    /// <summary>
    /// Deletes the set's members that are not wanted any more. Called once the new release is verified: until then the old one may
    /// need them.
    /// </summary>
    /// <param name="api">The cluster.</param>
    /// <param name="set">The app's objects.</param>
    /// <param name="wanted">The release's objects, with or without their namespaces.</param>
    /// <param name="cancellationToken">Ends it between two objects.</param>
    /// <returns>What was deleted.</returns>
    public async Task<ImmutableArray<ObjectKey>> PruneAsync(
        ClusterApi api, ApplySet set, IEnumerable<ObjectKey> wanted, CancellationToken cancellationToken)
    {
        var recorded = ApplySet.Read(await api.GetAsync(set.Parent, cancellationToken));
        var keys = await Task.WhenAll(wanted.Select(key => api.ResolveAsync(key, cancellationToken)));
        var wantedNow = keys.Select(key => key.Identity).ToHashSet();
        var leftovers = await Rehearsal.LeftoversAsync(api, set, recorded, wantedNow, cancellationToken);
        var deleted = new ConcurrentBag<ObjectKey>();

        // Backwards: what leads traffic to a workload goes before it.
        foreach (var wave in leftovers.Where(Pruning.IsAllowed).GroupBy(item => Waves.Of(GroupVersionKind.Of(item))).OrderByDescending(wave => wave.Key))
        {
            await Parallel.ForEachAsync(wave, Concurrency.Of(cancellationToken), async (item, cancellation) =>
            {
                var key = ObjectKey.Of(item);
                if (await api.DeleteAsync(key, cancellation, new() { Uid = item.Uid() }))
                {
                    deleted.Add(key);
                    _reporter.Step(key.ToString(), "deleted: it is no longer in the manifests");
                    _reporter.Report(new ObjectChanged(key.Type.Kind, key.Namespace, key.Name, ObjectChange.Deleted, []));
                }
            });
        }

        var kept = leftovers.Where(item => Pruning.IsOurs(item) && !Pruning.IsAllowed(item)).Select(ObjectKey.Of).ToList();
        foreach (var key in kept)
        {
            _reporter.Warning(key.ToString(), "is no longer in the manifests and was left in place; delete it by hand if it is not needed");
        }

        var contents = new ApplySetContents(
            [.. keys.Concat(kept).Select(key => ApplySetContents.NameOf(key.Type))],
            [.. keys.Concat(kept).Select(key => key.Namespace).OfType<string>().Append(set.Parent.Namespace!)]);
        if (recorded.Kinds.Count > 0 && !(contents.Covers(recorded) && recorded.Covers(contents)))
        {
            await api.ApplyAsync(set.ParentNode(contents), cancellationToken, new() { Force = true });
        }

        return [.. deleted];
    }

    private static ApplySetContents Contents(DeployPlan plan) => Rehearsal.ContentsOf(plan.Set, plan.Objects.Select(item => item.Desired));

    private static async Task WriteParentAsync(
        ClusterApi api, ApplySet set, ApplySetContents recorded, ApplySetContents contents, CancellationToken cancellationToken)
    {
        if (recorded.Kinds.Count == 0 || !recorded.Covers(contents))
        {
            // Nobody else has a say in this object.
            await api.ApplyAsync(set.ParentNode(contents), cancellationToken, new() { Force = true });
        }
    }

    private async Task ApplyWaveAsync(ClusterApi api, List<PlannedObject> wave, bool force, CancellationToken cancellationToken)
    {
        var refused = new ConcurrentBag<(Manifest, ObjectKey, KubernetesApiException)>();
        await Parallel.ForEachAsync(wave, Concurrency.Of(cancellationToken), async (item, cancellation) =>
        {
            try
            {
                if (item.Change == PlannedChange.Replace)
                {
                    await DeleteAsync(api, item, cancellation);
                }

                var (node, isNew) = await api.ApplyAsync(item.Desired.ToNode(), cancellation, new() { Force = force });
                Report(item, node, isNew);
            }
            catch (KubernetesApiException refusal)
            {
                // The others of the wave do not depend on it: one run names all that is wrong.
                refused.Add((item.Manifest, item.Key, refusal));
            }
        });

        if (!refused.IsEmpty)
        {
            throw ApplyRefusal.Of([.. refused.OrderBy(item => item.Item2.ToString(), StringComparer.Ordinal)], nothingChanged: false);
        }
    }

    private void Report(PlannedObject item, JsonObject node, bool isNew)
    {
        if (!isNew && item.Change != PlannedChange.Replace && item.Live is not null && item.Live.ResourceVersion() == node.ResourceVersion())
        {
            return;
        }

        var (what, change) = item.Change == PlannedChange.Replace ? ("made anew", ObjectChange.Replaced)
            : isNew ? ("made", ObjectChange.Created)
            : ("changed", ObjectChange.Updated);
        var fields = isNew ? [] : item.Fields.SelectMany(field => ValueText.Lines(item.Key, field)).ToImmutableArray();
        _reporter.Step(item.Key.ToString(), what);
        _reporter.Report(new ObjectChanged(item.Key.Type.Kind, node.NamespaceName(), item.Key.Name, change, fields));
    }

    private async Task DeleteAsync(ClusterApi api, PlannedObject item, CancellationToken cancellationToken)
    {
        if (item.Live?.Uid() is not { } uid
            || !await api.DeleteAsync(item.Key, cancellationToken, new() { Uid = uid }))
        {
            return;
        }

        var options = new ListOptions { FieldSelector = $"metadata.name={item.Key.Name}" };
        await AwaitAsync(
            api, item.Key.Type, item.Key.Namespace, options, objects => !objects.ContainsKey(item.Key.Name), $"{item.Key} is deleted", cancellationToken);
    }

    /// <summary>Waits until the API serves the types of CRDs that were just applied.</summary>
    private async Task AwaitFoundationAsync(ClusterApi api, IEnumerable<PlannedObject> wave, CancellationToken cancellationToken)
    {
        foreach (var crd in wave.Where(item => item.Key.Type.Kind == "CustomResourceDefinition" && item.Change != PlannedChange.None))
        {
            var options = new ListOptions { FieldSelector = $"metadata.name={crd.Key.Name}" };
            await AwaitAsync(
                api, crd.Key.Type, null, options, objects => objects.GetValueOrDefault(crd.Key.Name).IsTrue("Established"), $"{crd.Key} is established", cancellationToken);
        }
    }

    private async Task AwaitAsync(
        ClusterApi api,
        GroupVersionKind type,
        string? namespaceName,
        ListOptions options,
        Func<IReadOnlyDictionary<string, JsonObject>, bool> isReached,
        string what,
        CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(FoundationLimit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var objects = new Dictionary<string, JsonObject>(StringComparer.Ordinal);
        var synced = false;
        try
        {
            await foreach (var change in api.WatchAsync(type, namespaceName, options, either.Token))
            {
                if (change.Type == WatchEventType.Synced)
                {
                    synced = true;
                }
                else if (change.Type == WatchEventType.Deleted)
                {
                    objects.Remove(change.Object.ObjectName()!);
                }
                else
                {
                    objects[change.Object.ObjectName()!] = change.Object!;
                }

                if (synced && isReached(objects))
                {
                    return;
                }
            }
        }
        catch (OperationCanceledException) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"waited {FoundationLimit.TotalSeconds:0} s in vain until {what}",
                "kubectl describe tells what it waits for; mend that and deploy again.");
        }
    }
}
