using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Lifecycle;

/// <summary>Deletes what has lost its last owner, and holds an owner back or frees its dependents as its deletion asked for.</summary>
internal sealed class GarbageCollector : StoreController<WatchEvent>
{
    private const string Foreground = "foregroundDeletion";
    private const string Orphan = "orphan";
    private const string Manager = "kube-controller-manager";

    private readonly ResourceCatalog _catalog;
    private readonly ObjectWriter _writer;
    private readonly ObjectDeleter _deleter;
    private readonly Dictionary<string, HashSet<ObjectKey>> _dependents = new(StringComparer.Ordinal);
    private readonly Dictionary<ObjectKey, List<string>> _owners = [];

    public GarbageCollector(ObjectStore store, ResourceCatalog catalog, ObjectWriter writer, ObjectDeleter deleter, ILogger<GarbageCollector> logger)
        : base(store, logger)
    {
        (_catalog, _writer, _deleter) = (catalog, writer, deleter);
    }

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var resource in _catalog.Current.Stored)
        {
            foreach (var state in Store.List(resource.StorageName).Objects)
            {
                OnChanged(new WatchEvent(state, null, Deleted: false));
            }
        }

        return base.StartAsync(cancellationToken);
    }

    /// <summary>Most objects have no owner and are not going: they are let past without being parsed.</summary>
    protected override void OnChanged(WatchEvent change)
    {
        var json = change.Object.Json.AsSpan();
        if (change.Deleted || json.IndexOf("\"ownerReferences\""u8) >= 0 || json.IndexOf("\"deletionTimestamp\""u8) >= 0
            || (change.Previous is not null && change.Previous.Json.AsSpan().IndexOf("\"ownerReferences\""u8) >= 0))
        {
            Note(change);
        }
    }

    protected override void Handle(WatchEvent change)
    {
        var value = change.Object.ReadObject();
        var key = change.Object.Key;
        if (change.Deleted)
        {
            SetOwners(key, []);
            foreach (var dependent in DependentsOf(value.Uid()))
            {
                Collect(dependent);
            }

            foreach (var owner in value.Metadata().Objects("ownerReferences"))
            {
                ContinueForeground(owner, key.Namespace);
            }

            return;
        }

        SetOwners(key, [.. value.Metadata().Objects("ownerReferences").Select(owner => owner.Text("uid") ?? "")]);
        if (value.Metadata().Text("deletionTimestamp") is not null)
        {
            Finish(key);
        }
        else if (_owners.ContainsKey(key))
        {
            Collect(key);
        }
    }

    private void SetOwners(ObjectKey key, List<string> owners)
    {
        foreach (var owner in _owners.GetValueOrDefault(key) ?? [])
        {
            if (_dependents.TryGetValue(owner, out var all) && all.Remove(key) && all.Count == 0)
            {
                _dependents.Remove(owner);
            }
        }

        if (owners.Count == 0)
        {
            _owners.Remove(key);
            return;
        }

        _owners[key] = owners;
        foreach (var owner in owners)
        {
            if (!_dependents.TryGetValue(owner, out var all))
            {
                _dependents[owner] = all = [];
            }

            all.Add(key);
        }
    }

    private List<ObjectKey> DependentsOf(string uid) => _dependents.TryGetValue(uid, out var keys) ? [.. keys] : [];

    /// <summary>Deletes an object of which no owner is left; of which some are gone, those references are taken off.</summary>
    private void Collect(ObjectKey key)
    {
        if (Store.Find(key)?.ReadObject() is not { } value || value.Metadata().Text("deletionTimestamp") is not null)
        {
            return;
        }

        var owners = value.Metadata().Objects("ownerReferences").ToList();
        var gone = owners.Where(owner => FindOwner(owner, key.Namespace) is null).Select(owner => owner.Text("uid")).ToHashSet();
        if (owners.Count == 0 || gone.Count == 0)
        {
            return;
        }

        if (gone.Count == owners.Count)
        {
            Delete(key, value.Uid(), Propagation.Background);
        }
        else
        {
            RemoveOwners(key, gone!);
        }
    }

    /// <summary>Does what the finalizers of an object that is going ask for.</summary>
    private void Finish(ObjectKey key)
    {
        if (Store.Find(key)?.ReadObject() is not { } value)
        {
            return;
        }

        var finalizers = value.Metadata().Texts("finalizers").ToHashSet(StringComparer.Ordinal);
        if (finalizers.Contains(Orphan))
        {
            foreach (var dependent in DependentsOf(value.Uid()))
            {
                RemoveOwners(dependent, [value.Uid()]);
            }

            RemoveFinalizer(key, Orphan);
        }

        if (!finalizers.Contains(Foreground))
        {
            return;
        }

        var blocking = 0;
        foreach (var dependent in DependentsOf(value.Uid()))
        {
            if (Store.Find(dependent)?.ReadObject() is not { } owned)
            {
                continue;
            }

            var reference = owned.Metadata().Objects("ownerReferences").FirstOrDefault(owner => owner.Text("uid") == value.Uid());
            blocking += reference.Flag("blockOwnerDeletion") == true ? 1 : 0;
            if (owned.Metadata().Text("deletionTimestamp") is null)
            {
                Delete(dependent, owned.Uid(), Propagation.Foreground);
                blocking -= reference.Flag("blockOwnerDeletion") == true && Store.Find(dependent) is null ? 1 : 0;
            }
        }

        if (blocking == 0)
        {
            RemoveFinalizer(key, Foreground);
        }
    }

    private void ContinueForeground(JsonObject reference, string inNamespace)
    {
        if (FindOwner(reference, inNamespace) is { } owner && owner.ReadObject().Metadata().Texts("finalizers").Contains(Foreground))
        {
            Finish(owner.Key);
        }
    }

    /// <summary>The owner that a reference names; null when it is gone, or never was.</summary>
    private StoredObject? FindOwner(JsonObject reference, string inNamespace)
    {
        var resource = _catalog.Current.FindKind(GroupVersion.Parse(reference.Text("apiVersion") ?? ""), reference.Text("kind") ?? "");
        if (resource is null)
        {
            return null;
        }

        var owner = Store.Find(new ObjectKey(resource.StorageName, resource.Namespaced ? inNamespace : "", reference.Text("name") ?? ""));
        return owner?.Shared.Uid() == reference.Text("uid") ? owner : null;
    }

    private void Delete(ObjectKey key, string uid, Propagation propagation)
    {
        if (_catalog.Current.FindStored(key.Resource) is not { } resource)
        {
            return;
        }

        try
        {
            _deleter.Delete(resource, key, new DeleteRequest { Propagation = propagation, Uid = uid });
        }
        catch (ApiException exception) when (exception.Code is 404 or 409)
        {
            // It is gone, or another one has its name now.
        }
    }

    private void RemoveOwners(ObjectKey key, HashSet<string> uids) => Change(key, metadata =>
    {
        var kept = metadata.Objects("ownerReferences").Where(owner => !uids.Contains(owner.Text("uid") ?? "")).Select(owner => owner.DeepClone()).ToArray();
        metadata.Remove("ownerReferences");
        if (kept.Length > 0)
        {
            metadata["ownerReferences"] = new JsonArray(kept);
        }
    });

    private void RemoveFinalizer(ObjectKey key, string finalizer) => Change(key, metadata =>
    {
        var kept = metadata.Texts("finalizers").Where(name => name != finalizer).Select(name => (JsonNode)name).ToArray();
        metadata.Remove("finalizers");
        if (kept.Length > 0)
        {
            metadata["finalizers"] = new JsonArray(kept);
        }
    });

    private void Change(ObjectKey key, Action<JsonObject> change)
    {
        if (_catalog.Current.FindStored(key.Resource) is not { } resource)
        {
            return;
        }

        try
        {
            _writer.Update(resource, key, null, value =>
            {
                change(value.Metadata());
                return value;
            }, new WriteOptions { Manager = Manager });
        }
        catch (ApiException exception) when (exception.Code == 404)
        {
            // It is gone.
        }
    }
}
