using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// The watched part of a cluster in memory, indexed by owner, so that what belongs to a workload is found without searching.
/// Not safe for several threads; it has one reader and writer.
/// </summary>
internal sealed class ClusterView
{
    private readonly Dictionary<ObjectIdentity, JsonObject> _objects = [];
    private readonly Dictionary<string, JsonObject> _byUid = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, JsonObject>> _byOwner = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Dictionary<string, JsonObject>> _events = new(StringComparer.Ordinal);

    /// <summary>Takes a change.</summary>
    /// <returns>The uid of the object at the top of the owners: the one whose rollout the change may concern; null for none.</returns>
    public string? Take(WatchEvent change)
    {
        if (change.Object is not { } node || node.Uid() is not { } uid)
        {
            return null;
        }

        if (node.Text("kind") == "Event")
        {
            var about = node.Text("involvedObject", "uid");
            if (about is null)
            {
                return null;
            }

            Put(_events, about, uid, change);
            return RootOf(about);
        }

        var root = RootOf(node);
        foreach (var owner in node.Objects("metadata", "ownerReferences"))
        {
            if (owner.Text("uid") is { } ownerUid)
            {
                Put(_byOwner, ownerUid, uid, change);
            }
        }

        if (change.Type == WatchEventType.Deleted)
        {
            _objects.Remove(ObjectKey.Of(node).Identity);
            _byUid.Remove(uid);
            _events.Remove(uid);
        }
        else
        {
            _objects[ObjectKey.Of(node).Identity] = node;
            _byUid[uid] = node;
        }

        return root;
    }

    /// <summary>The object as it was last seen; null if it is not there.</summary>
    public JsonObject? Find(ObjectKey key) => _objects.GetValueOrDefault(key.Identity);

    /// <summary>An object with all that belongs to it; null if it is not there.</summary>
    public Observation? Observe(ObjectKey key, DateTimeOffset startedAt, DateTimeOffset now)
    {
        if (Find(key) is not { } target || target.Uid() is not { } uid)
        {
            return null;
        }

        var owned = Below(uid).ToList();
        if (target.Text("status", "jobName") is { } jobName
            && _objects.GetValueOrDefault(new("batch", "Job", key.Namespace, jobName)) is { } job
            && !job.IsOwnedBy(uid))
        {
            // K3s' Helm controller names its Job in the chart's status, and does not own it by reference.
            owned.Add(job);
            owned.AddRange(Below(job.Uid()!));
        }

        return new Observation
        {
            Object = target,
            ReplicaSets = OfKind("ReplicaSet"),
            Jobs = OfKind("Job"),
            Pods = OfKind("Pod"),
            Events = [.. owned.Append(target).SelectMany(node => _events.GetValueOrDefault(node.Uid()!)?.Values ?? Enumerable.Empty<JsonObject>())],
            StartedAt = startedAt,
            Now = now,
        };

        ImmutableArray<JsonObject> OfKind(string kind) => [.. owned.Where(node => node.Text("kind") == kind)];
    }

    private IEnumerable<JsonObject> Below(string uid) =>
        _byOwner.TryGetValue(uid, out var owned)
            ? owned.Values.SelectMany(node => Below(node.Uid()!).Prepend(node))
            : [];

    private string RootOf(string uid) => _byUid.TryGetValue(uid, out var node) ? RootOf(node) : uid;

    private string RootOf(JsonObject node) =>
        node.Objects("metadata", "ownerReferences").FirstOrDefault(owner => owner.Flag("controller") == true).Text("uid") is { } owner
            ? RootOf(owner)
            : node.Uid()!;

    private static void Put(Dictionary<string, Dictionary<string, JsonObject>> index, string key, string uid, WatchEvent change)
    {
        if (change.Type != WatchEventType.Deleted)
        {
            if (!index.TryGetValue(key, out var entries))
            {
                index[key] = entries = new(StringComparer.Ordinal);
            }

            entries[uid] = change.Object!;
        }
        else if (index.TryGetValue(key, out var entries) && entries.Remove(uid) && entries.Count == 0)
        {
            index.Remove(key);
        }
    }
}
