using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.FieldOwnership;

/// <summary>Keeps track of who owns which fields through updates and server-side applies.</summary>
internal sealed class OwnershipTracker(ApiServerOptions options)
{
    /// <summary>Fields of the server itself: nobody owns them.</summary>
    private static readonly string[] ServerMetadata =
        ["name", "namespace", "creationTimestamp", "selfLink", "uid", "clusterName", "generation", "managedFields", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"];

    /// <summary>Writes into an object that a manager made or changed it by an ordinary write.</summary>
    /// <param name="resource">The version of the request.</param>
    /// <param name="old">The object before; empty when it is new.</param>
    /// <param name="value">The object now. Managed fields in it, when there are any, count instead of the old ones.</param>
    /// <param name="manager">Who.</param>
    /// <param name="subresource">The subresource that was written; null for the object itself.</param>
    public void Update(ResourceDefinition resource, JsonObject old, JsonObject value, string manager, string? subresource)
    {
        var given = value.Metadata().List("managedFields");
        var managers = FieldManagers.Read(given is { Count: > 0 } ? value : given is null ? old : null);
        var compared = TypedValue.Compare(Owned(old), Owned(value), resource.Schema);
        var id = new ManagerId(manager, Operation.Update, resource.Version.ToString(), subresource ?? "");
        var changed = compared.Added.Union(compared.Modified);
        if (!changed.IsEmpty || !compared.Removed.IsEmpty)
        {
            managers.TakeFromOthers(id, changed);
            managers.TakeFromOthers(id, compared.Removed);
            var before = managers[id];
            var owned = (before ?? new FieldSet()).Except(compared.Removed).Union(changed);
            managers.Set(id, owned, id.ApiVersion, Now());
        }

        managers.Write(value);
    }

    /// <summary>Merges what a manager applies into an object.</summary>
    /// <param name="resource">The version of the request.</param>
    /// <param name="live">The object as it is; null when there is none.</param>
    /// <param name="applied">What is applied.</param>
    /// <param name="manager">Who.</param>
    /// <param name="subresource">The subresource that was written; null for the object itself.</param>
    /// <param name="force">Take fields over from others.</param>
    /// <returns>The object with everything in it.</returns>
    /// <exception cref="ApiException">Others own fields that would change, or it cannot be merged.</exception>
    public JsonObject Apply(ResourceDefinition resource, JsonObject? live, JsonObject applied, string manager, string? subresource, bool force)
    {
        if (applied.Metadata().List("managedFields") is not null)
        {
            throw ApiErrors.BadRequest("metadata.managedFields must be nil");
        }

        var schema = resource.Schema;
        var present = live ?? new JsonObject { ["apiVersion"] = applied["apiVersion"]?.DeepClone(), ["kind"] = applied["kind"]?.DeepClone(), ["metadata"] = new JsonObject() };
        var managers = FieldManagers.Read(live);
        var id = new ManagerId(manager, Operation.Apply, "", subresource ?? "");
        var config = Applicable(resource, applied, subresource);
        try
        {
            var fields = Strip(TypedValue.Fields(config, schema));
            var last = managers[id];
            var merged = TypedValue.Merge(present, config, schema);
            if (last is not null && last.SameAs(fields) && WithoutManaged(merged).SameAs(WithoutManaged(present)))
            {
                return present;
            }

            managers.Set(id, fields, resource.Version.ToString(), Now());
            if (last is not null)
            {
                Prune(merged, last, managers, schema);
            }

            var compared = TypedValue.Compare(Owned(present), Owned(merged), schema);
            var changed = compared.Added.Union(compared.Modified);
            if (!force)
            {
                ThrowOnConflict(resource, applied.Name() ?? "", managers, id, changed);
            }

            managers.TakeFromOthers(id, changed);
            managers.TakeFromOthers(id, compared.Removed);
            managers.Write(merged);
            return merged;
        }
        catch (TypedValueException exception)
        {
            throw new ApiException(500, "InternalError",
                $"failed to create typed patch object ({Qualified(applied)}; {resource.Version}, Kind={resource.Kind}): {exception.Message}");
        }
    }

    /// <summary>Takes away what the manager applied before, no longer applies, and nobody else owns.</summary>
    private static void Prune(JsonObject merged, FieldSet last, FieldManagers managers, Schemas.Schema schema)
    {
        var owned = new FieldSet();
        foreach (var (_, set) in managers.All)
        {
            owned = owned.Union(set.Fields);
        }

        var gone = TypedValue.WithNamedFields(last, schema).Except(TypedValue.WithNamedFields(owned, schema));
        gone.Forget(PathElement.Field("metadata"));
        TypedValue.Remove(merged, gone, schema);
    }

    private static void ThrowOnConflict(ResourceDefinition resource, string name, FieldManagers managers, ManagerId id, FieldSet changed)
    {
        var conflicts = managers.All
            .Where(pair => pair.Key != id)
            .Select(pair => (Manager: pair.Key.ToString(), Paths: pair.Value.Fields.Intersect(changed).Paths().Select(Shown).ToList()))
            .Where(conflict => conflict.Paths.Count > 0)
            .OrderBy(conflict => conflict.Manager, StringComparer.Ordinal)
            .ToList();
        var count = conflicts.Sum(conflict => conflict.Paths.Count);
        if (count == 0)
        {
            return;
        }

        var message = count == 1
            ? $"Apply failed with 1 conflict: conflict with {conflicts[0].Manager}: {conflicts[0].Paths[0]}"
            : $"Apply failed with {count} conflicts: " + string.Join('\n', conflicts.SelectMany(conflict =>
                conflict.Paths.Select(path => "- " + path).Prepend($"conflicts with {conflict.Manager}:")));
        throw new ApiException(409, "Conflict", message, new JsonObject
        {
            ["causes"] = new JsonArray([.. conflicts.SelectMany(conflict => conflict.Paths.Select(path => new JsonObject
            {
                ["reason"] = "FieldManagerConflict",
                ["message"] = $"conflict with {conflict.Manager}",
                ["field"] = path,
            }))]),
        });
    }

    /// <summary>What of an applied object counts: not the status, or nothing but the status.</summary>
    private static JsonObject Applicable(ResourceDefinition resource, JsonObject applied, string? subresource)
    {
        var result = applied.Copy();
        if (subresource == "status")
        {
            foreach (var field in result.Select(pair => pair.Key).Where(field => field is not ("apiVersion" or "kind" or "metadata" or "status")).ToList())
            {
                result.Remove(field);
            }

            var metadata = result.Metadata();
            foreach (var field in metadata.Select(pair => pair.Key).Where(field => field is not ("name" or "namespace")).ToList())
            {
                metadata.Remove(field);
            }
        }
        else if (resource.HasStatus)
        {
            result.Remove("status");
        }

        return result;
    }

    private static FieldSet Strip(FieldSet fields)
    {
        fields.Remove(PathElement.Field("apiVersion"));
        fields.Remove(PathElement.Field("kind"));
        var metadata = PathElement.Field("metadata");
        if (fields.Below(metadata) is { } below)
        {
            foreach (var field in ServerMetadata)
            {
                below.Remove(PathElement.Field(field));
            }

            if (below.IsEmpty)
            {
                fields.Remove(metadata);
            }
        }
        else
        {
            fields.Remove(metadata);
        }

        return fields;
    }

    /// <summary>An object without the fields that nobody owns, for comparison.</summary>
    private static JsonObject Owned(JsonObject value)
    {
        var result = new JsonObject();
        foreach (var (name, content) in value)
        {
            if (name is "apiVersion" or "kind")
            {
                continue;
            }

            result[name] = content?.DeepClone();
        }

        var metadata = result.Metadata();
        foreach (var field in ServerMetadata)
        {
            metadata.Remove(field);
        }

        return result;
    }

    private static JsonObject WithoutManaged(JsonObject value)
    {
        var result = value.Copy();
        result.Metadata().Remove("managedFields");
        return result;
    }

    private static string Shown(IReadOnlyList<PathElement> path) => string.Concat(path.Select(element => element.ToString()));

    private static string Qualified(JsonObject value)
        => value.Namespace() is { Length: > 0 } inNamespace ? $"{inNamespace}/{value.Name()}" : $"/{value.Name()}";

    private string Now() => ObjectAccess.Rfc3339(options.Clock.GetUtcNow());
}
