using System.Collections.Frozen;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Admission;
using Cake.K3s.Sandbox.ApiServer.FieldOwnership;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>Creates, changes and deletes objects: what happens to every object whatever its kind.</summary>
internal sealed class ObjectWriter(ObjectStore store, AdmissionChain admission, OwnershipTracker ownership, ApiServerOptions options)
{
    private const int MostAttempts = 100;
    private const string NameSuffixLetters = "bcdfghjklmnpqrstvwxz2456789";

    private static readonly FrozenSet<string> WithoutGeneration = new[]
    {
        "namespaces", "nodes", "services", "configmaps", "secrets", "serviceaccounts", "events", "endpoints", "persistentvolumes",
        "persistentvolumeclaims", "resourcequotas", "limitranges", "leases.coordination.k8s.io", "horizontalpodautoscalers.autoscaling",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Creates an object.</summary>
    /// <param name="resource">The resource and version the object is written in.</param>
    /// <param name="namespaceName">The namespace of the request; empty for cluster scope.</param>
    /// <param name="value">The object, decoded; taken over.</param>
    /// <param name="write">How.</param>
    /// <returns>The object as it was stored, or would be.</returns>
    /// <exception cref="ApiException">It cannot be created.</exception>
    public StoredObject Create(ResourceDefinition resource, string namespaceName, JsonObject value, WriteOptions write)
    {
        var metadata = value.Metadata();
        CheckNamespace(resource, namespaceName, metadata);
        if (metadata.Text("resourceVersion") is { Length: > 0 } and not "0")
        {
            throw new ApiException(500, "", "resourceVersion should not be set on objects to be created");
        }

        var generated = metadata.Text("name") is not { Length: > 0 } && metadata.Text("generateName") is { Length: > 0 };
        for (var attempt = 1; ; attempt++)
        {
            var candidate = generated ? value.Copy() : value;
            if (generated)
            {
                candidate.Metadata()["name"] = metadata.Text("generateName")! + Suffix();
            }

            if (TryCreate(resource, namespaceName, candidate, write) is { } created)
            {
                return created;
            }

            if (!generated || attempt == 8)
            {
                throw ApiErrors.AlreadyExists(resource, candidate.Name() ?? "");
            }
        }
    }

    /// <summary>Changes an object by a function of its present state, again when somebody else was faster.</summary>
    /// <param name="resource">The resource and version that the function sees.</param>
    /// <param name="key">The object.</param>
    /// <param name="subresource">The subresource that is written; null for the object itself.</param>
    /// <param name="change">Makes the new state of a copy of the present one. A resourceVersion in it must be the present one.</param>
    /// <param name="write">How.</param>
    /// <exception cref="ApiException">There is no such object, or the change is refused.</exception>
    public StoredObject Update(
        ResourceDefinition resource, ObjectKey key, string? subresource, Func<JsonObject, JsonObject> change, WriteOptions write)
    {
        for (var attempt = 1; ; attempt++)
        {
            var present = store.Find(key) ?? throw ApiErrors.NotFound(resource, key.Name);
            if (TryUpdate(resource, present, subresource, change, write) is { } updated)
            {
                return updated;
            }

            if (attempt == MostAttempts)
            {
                throw ApiErrors.Conflict(resource, key.Name);
            }
        }
    }

    private StoredObject? TryCreate(ResourceDefinition resource, string namespaceName, JsonObject value, WriteOptions write)
    {
        var metadata = value.Metadata();
        if (resource.Namespaced)
        {
            metadata["namespace"] = namespaceName;
        }
        else
        {
            metadata.Remove("namespace");
        }

        foreach (var field in SystemFields)
        {
            metadata.Remove(field);
        }

        metadata["uid"] = Guid.NewGuid().ToString();
        metadata["creationTimestamp"] = ObjectAccess.Rfc3339(options.Clock.GetUtcNow());
        if (HasGeneration(resource))
        {
            metadata["generation"] = 1;
        }

        if (resource.HasStatus)
        {
            value.Remove("status");
        }

        admission.PrepareCreate(resource, value, write);
        if (!write.Applied)
        {
            ownership.Update(resource, [], value, write.Manager, null);
        }

        var key = new ObjectKey(resource.StorageName, namespaceName, metadata.Text("name") ?? "");
        using var charge = admission.AdmitCreate(resource, value, write);
        ToStorage(resource, value);
        if (write.DryRun)
        {
            return store.Find(key) is null ? new StoredObject(key, 0, JsonBody.Write(value)) : null;
        }

        return store.Create(key, value);
    }

    private StoredObject? TryUpdate(
        ResourceDefinition resource, StoredObject present, string? subresource, Func<JsonObject, JsonObject> change, WriteOptions write)
    {
        var old = FromStorage(resource, present);
        var value = change(old.Copy());
        var metadata = value.Metadata();
        var name = present.Key.Name;
        if (metadata.Text("resourceVersion") is { Length: > 0 } version && version != "0" && version != old.Metadata().Text("resourceVersion"))
        {
            throw ApiErrors.Conflict(resource, name);
        }

        if (metadata.Text("uid") is { Length: > 0 } uid && uid != old.Uid())
        {
            throw ApiErrors.Conflict(resource, name, $"Precondition failed: UID in precondition: {uid}, UID in object meta: {old.Uid()}");
        }

        KeepSystemFields(value, old);
        if (subresource == "status")
        {
            value = WithStatusOnly(value, old);
        }
        else if (resource.HasStatus && subresource is null)
        {
            CopyField(value, old, "status");
        }

        admission.PrepareUpdate(resource, value, old, subresource, write);
        if (!write.Applied)
        {
            ownership.Update(resource, old, value, write.Manager, subresource);
        }

        if (HasGeneration(resource) && subresource != "status" && !SameContent(value, old, resource))
        {
            value.Metadata()["generation"] = (old.Metadata().Integer("generation") ?? 0) + 1;
        }

        if (SameButTimes(value, old))
        {
            return present;
        }

        using var charge = admission.AdmitUpdate(resource, value, old, subresource, write);
        var gone = value.Metadata().Text("deletionTimestamp") is not null
            && value.Metadata().List("finalizers") is not { Count: > 0 }
            && (value.Metadata().Integer("deletionGracePeriodSeconds") ?? 0) == 0
            && !(resource.StorageName == "namespaces" && value.Object("spec").List("finalizers") is { Count: > 0 });
        ToStorage(resource, value);
        if (write.DryRun)
        {
            return new StoredObject(present.Key, present.ResourceVersion, JsonBody.Write(value));
        }

        if (gone)
        {
            return store.Delete(present);
        }

        return store.Update(present, value);
    }

    /// <summary>The object in the version of the request.</summary>
    public static JsonObject FromStorage(ResourceDefinition resource, StoredObject stored)
    {
        var value = stored.ReadObject();
        VersionConversion.FromStorage(resource, value);
        return value;
    }

    private static void ToStorage(ResourceDefinition resource, JsonObject value) => VersionConversion.ToStorage(resource, value);

    private void CheckNamespace(ResourceDefinition resource, string namespaceName, JsonObject metadata)
    {
        if (!resource.Namespaced)
        {
            return;
        }

        if (metadata.Text("namespace") is { Length: > 0 } named && named != namespaceName)
        {
            throw ApiErrors.BadRequest($"the namespace of the provided object does not match the namespace sent on the request");
        }

        var found = store.Find(new ObjectKey("namespaces", "", namespaceName));
        if (found is null)
        {
            throw new ApiException(404, "NotFound", $"namespaces \"{namespaceName}\" not found", new JsonObject { ["name"] = namespaceName, ["kind"] = "namespaces" });
        }

        if (found.Shared.Metadata().Text("deletionTimestamp") is not null)
        {
            var name = metadata.Text("name") ?? metadata.Text("generateName") ?? "";
            throw ApiErrors.Forbidden(resource, name, $"unable to create new content in namespace {namespaceName} because it is being terminated",
                new FieldError("metadata.namespace", "NamespaceTerminating", $"namespace {namespaceName} is being terminated"));
        }
    }

    private static void KeepSystemFields(JsonObject value, JsonObject old)
    {
        var metadata = value.Metadata();
        var before = old.Metadata();
        foreach (var field in (string[])["uid", "creationTimestamp", "generation", "deletionTimestamp", "deletionGracePeriodSeconds", "namespace", "name", "resourceVersion", "generateName"])
        {
            CopyField(metadata, before, field);
        }

        metadata.Remove("selfLink");
    }

    private static JsonObject WithStatusOnly(JsonObject value, JsonObject old)
    {
        var result = old.Copy();
        CopyField(result, value, "status");
        var managed = value.Metadata()["managedFields"]?.DeepClone();
        if (managed is not null)
        {
            result.Metadata()["managedFields"] = managed;
        }

        return result;
    }

    private static void CopyField(JsonObject to, JsonObject from, string field)
    {
        if (from[field] is { } content)
        {
            to[field] = content.DeepClone();
        }
        else
        {
            to.Remove(field);
        }
    }

    /// <summary>Whether nothing but metadata and status differs.</summary>
    private static bool SameContent(JsonObject left, JsonObject right, ResourceDefinition resource)
    {
        foreach (var field in left.Select(pair => pair.Key).Union(right.Select(pair => pair.Key)))
        {
            if (field is "metadata" || (field is "status" && (resource.HasStatus || !resource.IsCustom)))
            {
                continue;
            }

            if (!left[field].SameAs(right[field]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Whether there is nothing to write: a change that is only in the times of managed fields is none.</summary>
    private static bool SameButTimes(JsonObject left, JsonObject right)
    {
        foreach (var field in left.Select(pair => pair.Key).Union(right.Select(pair => pair.Key)))
        {
            if (field == "metadata" ? !SameMetadata(left.Metadata(), right.Metadata()) : !left[field].SameAs(right[field]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool SameMetadata(JsonObject left, JsonObject right)
    {
        foreach (var field in left.Select(pair => pair.Key).Union(right.Select(pair => pair.Key)))
        {
            if (field == "managedFields" ? !FieldManagers.SameButTimes(left.List(field), right.List(field)) : !left[field].SameAs(right[field]))
            {
                return false;
            }
        }

        return true;
    }

    internal static bool HasGeneration(ResourceDefinition resource)
        => !WithoutGeneration.Contains(resource.StorageName) && (resource.IsCustom || resource.Schema.Object!.Fields.ContainsKey("spec") || resource.HasStatus);

    private static string Suffix() => RandomNumberGenerator.GetString(NameSuffixLetters, 5);

    private static readonly string[] SystemFields =
        ["uid", "creationTimestamp", "resourceVersion", "generation", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"];
}
