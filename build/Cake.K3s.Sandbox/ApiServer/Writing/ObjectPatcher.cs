using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Access;
using Cake.K3s.Sandbox.ApiServer.FieldOwnership;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Patching;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Schemas;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>Patches objects, by any of the four kinds of patch.</summary>
internal sealed class ObjectPatcher(ObjectStore store, ObjectWriter writer, OwnershipTracker ownership, Authorizer authorizer)
{
    private const string JsonType = "application/json-patch+json";
    private const string MergeType = "application/merge-patch+json";
    private const string StrategicType = "application/strategic-merge-patch+json";
    private const string ApplyType = "application/apply-patch+yaml";

    /// <summary>Patches an object.</summary>
    /// <returns>The object, and whether it was created.</returns>
    /// <exception cref="ApiException">The patch cannot be read, does not fit, or is refused.</exception>
    public (StoredObject Object, bool Created) Patch(
        ResourceDefinition resource, ObjectKey key, string? subresource, byte[] body, string? contentType, bool managerGiven, WriteOptions write)
    {
        var type = (contentType ?? "").Split(';')[0].Trim();
        if (type == ApplyType)
        {
            return Apply(resource, key, subresource, body, managerGiven, write);
        }

        var change = Change(resource, body, type);
        return (writer.Update(resource, key, subresource, present => Patched(resource, present, change, body, write), write), false);
    }

    /// <summary>How a patch of a type changes an object.</summary>
    /// <exception cref="ApiException">The type or the body is none that is known.</exception>
    public static Func<JsonObject, JsonObject> Change(ResourceDefinition resource, byte[] body, string type)
    {
        switch (type)
        {
            case JsonType:
                var operations = RequestBody.Read(body, null) as JsonArray
                    ?? throw ApiErrors.BadRequest("json: cannot unmarshal object into Go value of type jsonpatch.Patch");
                return present => JsonPatch.Apply(present, operations);
            case MergeType:
                var merge = RequestBody.ReadObject(body, null);
                return present =>
                {
                    MergePatch.Apply(present, merge);
                    return present;
                };
            case StrategicType when !resource.IsCustom:
                var strategic = RequestBody.ReadObject(body, null);
                return present =>
                {
                    StrategicMergePatch.Apply(present, strategic, resource.Schema);
                    return present;
                };
            default:
                throw ApiErrors.UnsupportedMediaType(resource.IsCustom
                    ? string.Join(", ", JsonType, MergeType, ApplyType)
                    : string.Join(", ", JsonType, MergeType, StrategicType, ApplyType));
        }
    }

    private static JsonObject Patched(ResourceDefinition resource, JsonObject present, Func<JsonObject, JsonObject> change, byte[] body, WriteOptions write)
    {
        JsonObject value;
        try
        {
            value = change(present);
        }
        catch (PatchException exception)
        {
            throw new ApiException(422, "Invalid", "the server rejected our request due to an error in our request", new JsonObject
            {
                ["causes"] = new JsonArray(new JsonObject { ["reason"] = "UnexpectedServerResponse", ["message"] = exception.Message }),
            });
        }

        write.Warnings.Clear();
        try
        {
            return ObjectDecoder.Normalize(value, resource, write);
        }
        catch (ApiException exception) when (exception.Message.Contains("strict decoding error", StringComparison.Ordinal))
        {
            var at = exception.Message.IndexOf("strict decoding error", StringComparison.Ordinal);
            throw ApiErrors.Invalid("", "", "", [FieldError.Invalid("patch", JsonValue.Create(Encoding.UTF8.GetString(body)), exception.Message[at..])]);
        }
    }

    private (StoredObject, bool) Apply(
        ResourceDefinition resource, ObjectKey key, string? subresource, byte[] body, bool managerGiven, WriteOptions write)
    {
        if (!managerGiven)
        {
            throw ApiErrors.Invalid("meta.k8s.io", "PatchOptions", "", [FieldError.Required("fieldManager", "is required for apply patch")]);
        }

        var applied = ReadApplied(resource, key, body, write);
        var options = write with { Applied = true };
        while (true)
        {
            if (store.Find(key) is not null)
            {
                try
                {
                    return (writer.Update(resource, key, subresource,
                        present => ownership.Apply(resource, present, CheckedAgainst(resource, applied, present), write.Manager, subresource, write.Force), options), false);
                }
                catch (ApiException exception) when (exception.Code == 404 && subresource is null && store.Find(key) is null)
                {
                    continue;
                }
            }

            if (subresource is not null)
            {
                throw ApiErrors.NotFound(resource, key.Name);
            }

            if (applied.Uid().Length > 0)
            {
                throw ApiErrors.Conflict(resource, key.Name, $"uid mismatch: the provided object specified uid {applied.Uid()}, and no existing object was found");
            }

            // Whoever may only patch cannot make objects by applying them.
            authorizer.Check(write.User, resource, new AccessRequest("create", resource.Version.Group, resource.Plural, "", key.Namespace, key.Name));
            var made = ownership.Apply(resource, null, applied.Copy(), write.Manager, null, write.Force);
            try
            {
                return (writer.Create(resource, key.Namespace, made, options), true);
            }
            catch (ApiException exception) when (exception.Reason == "AlreadyExists")
            {
                // Somebody else made it meanwhile: apply to that.
            }
        }
    }

    private static JsonObject CheckedAgainst(ResourceDefinition resource, JsonObject applied, JsonObject present)
    {
        if (applied.Metadata().Text("resourceVersion") is { Length: > 0 } version && version != present.Metadata().Text("resourceVersion"))
        {
            throw ApiErrors.Conflict(resource, present.Name() ?? "");
        }

        return applied.Copy();
    }

    private static JsonObject ReadApplied(ResourceDefinition resource, ObjectKey key, byte[] body, WriteOptions write)
    {
        var duplicates = new List<string>();
        var applied = RequestBody.ReadObject(body, "application/yaml", duplicates);
        if (applied.Object("metadata")?.ContainsKey("managedFields") == true && applied.Object("metadata")!["managedFields"] is not null)
        {
            throw ApiErrors.BadRequest("metadata.managedFields must be nil");
        }

        if (applied.Text("apiVersion") is not { Length: > 0 } || applied.Text("kind") is not { Length: > 0 })
        {
            throw ApiErrors.BadRequest("invalid object type: " + (applied.Text("kind") is null ? "Object 'Kind' is missing" : "Object 'apiVersion' is missing"));
        }

        if (duplicates.Count > 0 && write.Validation == FieldValidation.Strict)
        {
            throw ApiErrors.BadRequest($"error decoding YAML: strict decoding error: {string.Join(", ", duplicates.Select(path => $"duplicate field \"{path}\""))}");
        }

        var problems = new WriteOptions { Manager = write.Manager, Validation = FieldValidation.Warn };
        var read = ObjectDecoder.Normalize(applied, resource, problems);
        if (problems.Warnings.Count > 0)
        {
            if (!resource.IsCustom || write.Validation == FieldValidation.Strict)
            {
                throw Undeclared(resource, key, applied, problems.Warnings);
            }

            write.Warnings.AddRange(write.Validation == FieldValidation.Warn ? problems.Warnings : []);
        }

        if (read.Name() is { Length: > 0 } name && name != key.Name)
        {
            throw ApiErrors.BadRequest($"the name of the object ({name}) does not match the name on the URL ({key.Name})");
        }

        if (read.Namespace() is { Length: > 0 } inNamespace && inNamespace != key.Namespace)
        {
            throw ApiErrors.BadRequest("the namespace of the provided object does not match the namespace sent on the request");
        }

        read.Metadata()["name"] = key.Name;
        return read;
    }

    /// <summary>A typed server cannot even hold a field that the kind does not have.</summary>
    private static ApiException Undeclared(ResourceDefinition resource, ObjectKey key, JsonObject applied, IReadOnlyList<string> problems)
    {
        var paths = problems.Select(problem => $"{Keyed(problem["unknown field \"".Length..^1], applied, resource.Schema)}: field not declared in schema").ToArray();
        var text = paths.Length == 1 ? paths[0] : "errors:\n" + string.Join('\n', paths.Select(path => "  " + path));
        return new ApiException(500, "",
            $"failed to create typed patch object ({key.Namespace}/{key.Name}; {resource.Version}, Kind={resource.Kind}): {text}");
    }

    /// <summary>A path with the elements of keyed lists named by their keys, as server-side apply names them: <c>.spec.containers[name="web"]</c>.</summary>
    private static string Keyed(string path, JsonObject value, Schema schema)
    {
        var result = new StringBuilder();
        JsonNode? node = value;
        Schema? type = schema;
        foreach (var step in path.Replace("[", ".[", StringComparison.Ordinal).Split('.'))
        {
            if (step.StartsWith('[') && step.EndsWith(']') && int.TryParse(step.AsSpan(1, step.Length - 2), out var at))
            {
                var item = (node as JsonArray)?.ElementAtOrDefault(at);
                result.Append(type is { ListMerge: ListMerge.Map } && item is JsonObject element
                    ? $"[{string.Join(',', type.ListKeys.Where(element.ContainsKey).Select(name => $"{name}={JsonBody.Text(element[name])}"))}]"
                    : step);
                (node, type) = (item, type?.Element);
            }
            else
            {
                result.Append('.').Append(step);
                node = (node as JsonObject)?[step];
                type = type?.Object?.Fields.TryGetValue(step, out var field) == true ? field : type?.Element;
            }
        }

        return result.ToString();
    }
}
