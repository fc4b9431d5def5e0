using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Storage;

/// <summary>
/// All objects, in memory and in the journal, with one counter that numbers every change: the part that etcd plays in a cluster.
/// Knows nothing of what the objects mean.
/// </summary>
internal sealed class ObjectStore : IDisposable
{
    /// <summary>Changes of one resource that a watch can resume from.</summary>
    private const int HistoryLength = 2000;

    /// <summary>A journal under this size is not worth rewriting.</summary>
    private const long RewriteAbove = 32 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, ResourceObjects> _resources = new(StringComparer.Ordinal);
    private readonly Journal _journal;
    private long _revision;
    private long _liveBytes;

    public ObjectStore(ApiServerOptions options)
    {
        var restored = new Dictionary<ObjectKey, StoredObject>();
        _journal = Journal.Open(options.StateDirectory, record =>
        {
            _revision = record.ResourceVersion;
            if (record.Json.IsEmpty)
            {
                restored.Remove(record.Key);
            }
            else
            {
                restored[record.Key] = new StoredObject(record.Key, record.ResourceVersion, record.Json.ToArray());
            }
        });
        foreach (var state in restored.Values)
        {
            var objects = Of(state.Key.Resource);
            objects.Put(state);
            _liveBytes += state.Json.Length;
        }

        foreach (var objects in _resources.Values)
        {
            objects.OldestKnown = _revision;
        }

        OldestAtStart = _revision;
    }

    private long OldestAtStart { get; }

    /// <summary>The number of the latest change.</summary>
    public long Revision
    {
        get
        {
            lock (_gate)
            {
                return _revision;
            }
        }
    }

    /// <summary>Told of every change, in order, while no other change can happen: must be quick and must not write.</summary>
    public event Action<WatchEvent>? Changed;

    public StoredObject? Find(ObjectKey key)
    {
        lock (_gate)
        {
            return _resources.GetValueOrDefault(key.Resource)?.Find(key.Namespace, key.Name);
        }
    }

    /// <summary>The objects of a resource in the order of namespace and name, and the number of the latest change.</summary>
    /// <param name="resource">The resource as <c>plural.group</c>.</param>
    /// <param name="namespaceName">Only this namespace; null is all.</param>
    public (IReadOnlyList<StoredObject> Objects, long Revision) List(string resource, string? namespaceName = null)
    {
        lock (_gate)
        {
            return (_resources.GetValueOrDefault(resource)?.List(namespaceName) ?? [], _revision);
        }
    }

    /// <summary>Adds an object; null when there is one of that name.</summary>
    public StoredObject? Create(ObjectKey key, JsonObject value)
    {
        lock (_gate)
        {
            return Of(key.Resource).Find(key.Namespace, key.Name) is null ? Put(key, value, null) : null;
        }
    }

    /// <summary>Replaces an object; null when it is no longer in the state that the caller saw.</summary>
    public StoredObject? Update(StoredObject seen, JsonObject value)
    {
        lock (_gate)
        {
            var objects = Of(seen.Key.Resource);
            return ReferenceEquals(objects.Find(seen.Key.Namespace, seen.Key.Name), seen) ? Put(seen.Key, value, seen) : null;
        }
    }

    /// <summary>Removes an object; null when it is no longer in the state that the caller saw.</summary>
    public StoredObject? Delete(StoredObject seen)
    {
        lock (_gate)
        {
            var objects = Of(seen.Key.Resource);
            if (!ReferenceEquals(objects.Find(seen.Key.Namespace, seen.Key.Name), seen))
            {
                return null;
            }

            var last = seen.At(++_revision);
            _journal.Append(new JournalRecord(_revision, seen.Key, default));
            objects.Remove(seen);
            _liveBytes -= seen.Json.Length;
            Publish(objects, new WatchEvent(last, seen, Deleted: true));
            return last;
        }
    }

    /// <summary>Watches a resource from a change on: the ones since then, and a feed of those to come.</summary>
    /// <param name="resource">The resource as <c>plural.group</c>.</param>
    /// <param name="since">The number of the last change that the caller knows; null starts with the objects as they are.</param>
    /// <param name="start">The objects to begin with, empty when <paramref name="since"/> is given.</param>
    /// <param name="oldest">When null is returned: the oldest number that could have been asked for.</param>
    /// <returns>Null when the changes since then are no longer known.</returns>
    public WatchFeed? Watch(string resource, long? since, out IReadOnlyList<StoredObject> start, out long oldest)
    {
        lock (_gate)
        {
            var objects = Of(resource);
            start = since is null ? objects.List(null) : [];
            oldest = objects.OldestKnown;
            if (since < oldest)
            {
                return null;
            }

            var feed = new WatchFeed(_revision, objects.Feeds.Remove, _gate);
            foreach (var change in since is null ? [] : objects.History.Where(change => change.Object.ResourceVersion > since))
            {
                feed.Offer(change);
            }

            objects.Feeds.Add(feed);
            return feed;
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _journal.Dispose();
        }
    }

    private StoredObject Put(ObjectKey key, JsonObject value, StoredObject? previous)
    {
        var revision = _revision + 1;
        value.Metadata()["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture);
        var state = new StoredObject(key, revision, JsonBody.Write(value));
        _journal.Append(new JournalRecord(revision, key, state.Json));
        _revision = revision;
        var objects = Of(key.Resource);
        objects.Put(state);
        _liveBytes += state.Json.Length - (previous?.Json.Length ?? 0);
        Publish(objects, new WatchEvent(state, previous, Deleted: false));
        if (_journal.Length > RewriteAbove && _journal.Length > 4 * _liveBytes)
        {
            _journal.Rewrite(_resources.Values.SelectMany(resource => resource.List(null))
                .OrderBy(live => live.ResourceVersion)
                .Select(live => new JournalRecord(live.ResourceVersion, live.Key, live.Json)));
        }

        return state;
    }

    private void Publish(ResourceObjects objects, WatchEvent change)
    {
        objects.History.Enqueue(change);
        if (objects.History.Count > HistoryLength)
        {
            objects.OldestKnown = objects.History.Dequeue().Object.ResourceVersion;
        }

        foreach (var feed in objects.Feeds)
        {
            feed.Offer(change);
        }

        Changed?.Invoke(change);
    }

    private ResourceObjects Of(string resource)
    {
        if (!_resources.TryGetValue(resource, out var objects))
        {
            _resources[resource] = objects = new ResourceObjects { OldestKnown = OldestAtStart };
        }

        return objects;
    }

    /// <summary>The objects of one resource, and who watches them.</summary>
    private sealed class ResourceObjects
    {
        private readonly SortedDictionary<string, SortedDictionary<string, StoredObject>> _namespaces = new(StringComparer.Ordinal);

        public Queue<WatchEvent> History { get; } = new();

        public HashSet<WatchFeed> Feeds { get; } = [];

        /// <summary>Changes up to this number are no longer in <see cref="History"/>.</summary>
        public long OldestKnown { get; set; }

        public StoredObject? Find(string namespaceName, string name)
            => _namespaces.GetValueOrDefault(namespaceName)?.GetValueOrDefault(name);

        public IReadOnlyList<StoredObject> List(string? namespaceName)
        {
            if (namespaceName is not null)
            {
                return _namespaces.TryGetValue(namespaceName, out var one) ? [.. one.Values] : [];
            }

            return [.. _namespaces.Values.SelectMany(objects => objects.Values)];
        }

        public void Put(StoredObject state)
        {
            if (!_namespaces.TryGetValue(state.Key.Namespace, out var objects))
            {
                _namespaces[state.Key.Namespace] = objects = new SortedDictionary<string, StoredObject>(StringComparer.Ordinal);
            }

            objects[state.Key.Name] = state;
        }

        public void Remove(StoredObject state)
        {
            var objects = _namespaces[state.Key.Namespace];
            objects.Remove(state.Key.Name);
            if (objects.Count == 0)
            {
                _namespaces.Remove(state.Key.Namespace);
            }
        }
    }
}
