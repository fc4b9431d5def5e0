using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>
/// Makes a plan: reads what is there, leaves out what is as it should be, and has the API itself foretell the rest by a dry run,
/// so that whatever it would refuse is known before anything is changed. Changes nothing.
/// </summary>
public static class Rehearsal
{
    /// <summary>Makes a plan.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="set">The app's objects in it.</param>
    /// <param name="manifests">What should be there.</param>
    /// <param name="force">Takes over fields that others own, instead of counting them as conflicts.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">A manifest is of a type that the cluster does not know, or a namespace is missing or terminating.</exception>
    public static Task<DeployPlan> PlanAsync(
        ClusterApi api, ApplySet set, IReadOnlyList<Manifest> manifests, bool force, CancellationToken cancellationToken) =>
        PlanAsync(api, set, manifests, force, keepUnchanged: true, cancellationToken);

    /// <summary>Makes a plan. If what is there of unchanged objects is not kept, thousands of them cost no memory; nor can such a plan be frozen.</summary>
    internal static async Task<DeployPlan> PlanAsync(
        ClusterApi api, ApplySet set, IReadOnlyList<Manifest> manifests, bool force, bool keepUnchanged, CancellationToken cancellationToken)
    {
        var reading = ReadParentAsync(api, set, cancellationToken);
        var types = await ResourcesAsync(api, manifests, cancellationToken);
        var desired = manifests.Select(manifest => DesiredObject.Of(
            manifest, types[manifest.Key.Type].Namespaced ? manifest.Key.Namespace ?? set.Parent.Namespace : null, set)).ToArray();
        CheckDuplicates(desired);

        var checking = MissingNamespacesAsync(api, set, desired, cancellationToken);
        var recorded = ApplySet.Read(await reading);
        var wanted = desired.ToDictionary(item => item.Key.Identity);
        var members = await MembersAsync(
            api, set, recorded.Union(ContentsOf(set, desired)), (identity, node) => Compare(identity, node, wanted.GetValueOrDefault(identity), keepUnchanged), cancellationToken);
        var missingNamespaces = await checking;
        var served = (await api.ResourcesAsync(cancellationToken)).Select(resource => resource.Type).ToHashSet();

        var planned = new PlannedObject[desired.Length];
        var open = new List<int>();
        for (var i = 0; i < desired.Length; i++)
        {
            var member = members.GetValueOrDefault(desired[i].Key.Identity);
            planned[i] = new(desired[i]) { Live = member?.Node, Foretold = member?.Node };
            if (member is not { IsAsApplied: true })
            {
                open.Add(i);
            }
        }

        // Most objects of most deploys are unchanged: nothing is started for them.
        if (open.Count > 0)
        {
            await Parallel.ForEachAsync(open, Concurrency.Of(cancellationToken), async (i, cancellation) =>
            {
                var key = desired[i].Key;
                var canAsk = served.Contains(key.Type) && (key.Namespace is null || !missingNamespaces.Contains(key.Namespace));
                planned[i] = await PlanAsync(api, planned[i], canAsk, force, cancellation);
            });
        }

        var leftovers = members.Values.Where(member => !wanted.ContainsKey(member.Identity)).Select(member => member.Node!).ToList();
        return new(
            set,
            [.. planned.OrderBy(item => item.Wave)],
            [.. leftovers.Where(Pruning.IsAllowed)],
            [.. leftovers.Where(leftover => !Pruning.IsAllowed(leftover) && Pruning.IsOurs(leftover))],
            force)
        {
            Recorded = recorded,
        };
    }

    /// <summary>What the parent will say once the objects are there.</summary>
    internal static ApplySetContents ContentsOf(ApplySet set, IEnumerable<DesiredObject> desired)
    {
        var keys = desired.Select(item => item.Key).ToList();
        return new(
            [.. keys.Select(key => ApplySetContents.NameOf(key.Type))],
            [.. keys.Select(key => key.Namespace).OfType<string>().Append(set.Parent.Namespace!)]);
    }

    /// <summary>The members of a set that a caller does not want.</summary>
    internal static async Task<List<JsonObject>> LeftoversAsync(
        ClusterApi api, ApplySet set, ApplySetContents contents, HashSet<ObjectIdentity> wanted, CancellationToken cancellationToken)
    {
        var members = await MembersAsync(
            api, set, contents, (identity, node) => new(identity, wanted.Contains(identity) ? null : node, false), cancellationToken);
        return [.. members.Values.Select(member => member.Node).OfType<JsonObject>()];
    }

    /// <summary>The members of a set by their identity; of each only what is made of it is held.</summary>
    private static async Task<IReadOnlyDictionary<ObjectIdentity, Member>> MembersAsync(
        ClusterApi api, ApplySet set, ApplySetContents contents, Func<ObjectIdentity, JsonObject, Member> keep, CancellationToken cancellationToken)
    {
        var served = await api.ResourcesAsync(cancellationToken);
        var members = new Dictionary<ObjectIdentity, Member>();
        var lists =
            from name in contents.Kinds

                // A kind whose CRD is gone has no members left.
            let resource = served.FirstOrDefault(resource => ApplySetContents.NameOf(resource.Type) == name && resource.Verbs.Contains("list"))
            where resource is not null
            from namespaceName in resource.Namespaced ? contents.Namespaces : (IEnumerable<string?>)[null]
            select (Func<Task<List<Member>>>)(() => ListAsync(resource.Type, namespaceName));
        foreach (var some in lists.Chunk(Concurrency.Requests))
        {
            foreach (var member in (await Task.WhenAll(some.Select(list => list()))).SelectMany(found => found))
            {
                members[member.Identity] = member;
            }
        }

        return members;

        async Task<List<Member>> ListAsync(GroupVersionKind type, string? namespaceName) => (await api.ListAsync(
            type, namespaceName, new() { LabelSelector = set.Selector }, item => keep(ObjectKey.Of(item).Identity, item), cancellationToken)).Items;
    }

    /// <summary>Compares a member with what is wanted of it (null if nothing is any more).</summary>
    private static Member Compare(ObjectIdentity identity, JsonObject node, DesiredObject? desired, bool keepUnchanged)
    {
        if (desired is null || !IsAsApplied(node, desired.ToNode()))
        {
            return new(identity, node, false);
        }

        // The largest part of an object, and of no more use.
        node["metadata"]!.AsObject().Remove("managedFields");
        return new(identity, keepUnchanged ? node : null, true);
    }

    private static async Task<JsonObject?> ReadParentAsync(ClusterApi api, ApplySet set, CancellationToken cancellationToken) =>
        await api.GetAsync(set.Parent, cancellationToken);

    private static async Task<PlannedObject> PlanAsync(
        ClusterApi api, PlannedObject planned, bool canAsk, bool force, CancellationToken cancellationToken)
    {
        var (desired, member) = (planned.Desired, planned.Live);
        var node = desired.ToNode();
        if (!canAsk)
        {
            return planned with { Change = PlannedChange.Create, Foretold = node };
        }

        try
        {
            var (foretold, isNew) = await api.ApplyAsync(node, cancellationToken, new() { Force = force, DryRun = true });
            var live = isNew ? null : member ?? await api.GetAsync(desired.Key, cancellationToken);
            return planned with { Change = ChangeOf(live, foretold, node), Live = live, Foretold = foretold };
        }
        catch (KubernetesApiException refusal) when (ApplyRefusal.IsImmutable(refusal)
            && node.Annotation(ApplyRefusal.ReplaceAnnotation) == "true")
        {
            var live = member ?? await api.GetAsync(desired.Key, cancellationToken);
            return planned with { Change = PlannedChange.Replace, Live = live, Foretold = node };
        }
        catch (KubernetesApiException refusal) when (refusal.IsRefusal)
        {
            var live = member ?? await api.GetAsync(desired.Key, cancellationToken);
            return planned with { Change = PlannedChange.Update, Live = live, Foretold = node, Refusal = refusal };
        }
    }

    private static PlannedChange ChangeOf(JsonObject? live, JsonObject foretold, JsonObject desired) => live switch
    {
        null => PlannedChange.Create,

        // It is on its way out, and would take what is applied now along.
        _ when live.At("metadata", "deletionTimestamp") is not null => PlannedChange.Replace,

        // The API writes some values in its own way, e.g. cpu 0.5 as 500m.
        _ when IsOurs(live, desired) && !FieldDiff.Between(live, foretold).Any() => PlannedChange.None,
        _ => PlannedChange.Update,
    };

    /// <summary>
    /// Whether applying an object again would change nothing: it was applied last as it is wanted now, nobody took a field of it
    /// since, and its values are still the ones that were applied. If in doubt, no: applying is always right.
    /// </summary>
    internal static bool IsAsApplied(JsonObject live, JsonObject desired) =>
        IsOurs(live, desired) && live.At("metadata", "deletionTimestamp") is null && live.Holds(desired);

    private static bool IsOurs(JsonObject live, JsonObject desired) =>
        live.Annotation(DesiredObject.HashAnnotation) == desired.Annotation(DesiredObject.HashAnnotation)
        && FieldOwnership.OwnsAll(live, WriteOptions.DefaultFieldManager, desired);

    private static async Task<Dictionary<GroupVersionKind, ApiResource>> ResourcesAsync(
        ClusterApi api, IReadOnlyList<Manifest> manifests, CancellationToken cancellationToken)
    {
        var own = manifests.SelectMany(manifest => CustomTypes.DefinedBy(manifest.Node)).ToDictionary(resource => resource.Type);
        var resources = new Dictionary<GroupVersionKind, ApiResource>();
        foreach (var manifest in manifests)
        {
            var type = manifest.Key.Type;
            if (resources.ContainsKey(type))
            {
                continue;
            }

            if (own.TryGetValue(type, out var resource))
            {
                resources[type] = resource;
                continue;
            }

            try
            {
                resources[type] = await api.ResourceAsync(type, cancellationToken);
            }
            catch (K3sException e) when (e is not (KubernetesApiException or ClusterUnreachableException))
            {
                throw manifest.PlaceOf(manifest.Node["apiVersion"]).Error(e.Summary, e.NextStep);
            }
        }

        return resources;
    }

    /// <summary>The namespaces that will be made by the plan itself.</summary>
    private static async Task<HashSet<string>> MissingNamespacesAsync(
        ClusterApi api, ApplySet set, DesiredObject[] desired, CancellationToken cancellationToken)
    {
        var made = desired.Where(item => item.Key.Type is { Group: "", Kind: "Namespace" }).Select(item => item.Key.Name).ToHashSet();
        var used = desired.Select(item => item.Key.Namespace).OfType<string>().Append(set.Parent.Namespace!).Distinct();
        var missing = new HashSet<string>();
        foreach (var name in used)
        {
            var live = await api.GetAsync(new(new("", "v1", "Namespace"), null, name), cancellationToken);
            if (live is null && !made.Contains(name))
            {
                throw new K3sException(
                    ExitCodes.Failed,
                    $"there is no namespace '{name}' in the cluster",
                    $"add a manifest for it (kind: Namespace, name: ${{NAMESPACE}}), or make it: kubectl create namespace {name}");
            }

            if (live.At("metadata", "deletionTimestamp") is not null || live.Text("status", "phase") == "Terminating")
            {
                throw new K3sException(
                    ExitCodes.Failed,
                    $"the namespace '{name}' is terminating: nothing can be made in it",
                    $"wait until it is gone (kubectl wait --for=delete namespace/{name}); if it stays, see what holds it: kubectl get namespace {name} -o yaml");
            }

            if (live is null)
            {
                missing.Add(name);
            }
        }

        return missing;
    }

    // The loader found those that are the same as written; others become the same once it is known which types have namespaces.
    private static void CheckDuplicates(DesiredObject[] desired)
    {
        var seen = new Dictionary<ObjectIdentity, DesiredObject>();
        foreach (var item in desired)
        {
            if (!seen.TryAdd(item.Key.Identity, item))
            {
                throw item.Manifest.Place.Error($"{item.Key} is there twice; the first is at {seen[item.Key.Identity].Manifest.Place}");
            }
        }
    }

    /// <summary>An object that is there.</summary>
    /// <param name="Identity">Which one.</param>
    /// <param name="Node">The object itself, where it is of more use.</param>
    /// <param name="IsAsApplied">Whether applying it again would change nothing.</param>
    private sealed record Member(ObjectIdentity Identity, JsonObject? Node, bool IsAsApplied);
}
