using System.Collections.Frozen;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Admission.Policies;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Writing;

/// <summary>Deletes objects: at once, or by a deletion timestamp that finalizers or the node act on.</summary>
internal sealed class ObjectDeleter(ObjectStore store, AdmissionPolicies policies, ApiServerOptions options)
{
    /// <summary>Deletions of these answer with the object; others with a Status when nothing is left of them.</summary>
    private static readonly FrozenSet<string> AnsweredWithObject = new[]
    {
        "pods", "services", "podtemplates", "resourcequotas", "serviceaccounts", "persistentvolumes", "persistentvolumeclaims",
        "csidrivers.storage.k8s.io", "csinodes.storage.k8s.io", "storageclasses.storage.k8s.io", "volumeattachments.storage.k8s.io",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] Immortal = ["default", "kube-system", "kube-public"];

    /// <summary>Deletes an object and says what the answer to the client is.</summary>
    /// <exception cref="ApiException">There is no such object, or a precondition does not hold.</exception>
    public JsonObject Delete(ResourceDefinition resource, ObjectKey key, DeleteRequest request)
    {
        while (true)
        {
            var present = store.Find(key) ?? throw ApiErrors.NotFound(resource, key.Name);
            var value = present.ReadObject();
            if (resource.StorageName == "namespaces" && Immortal.Contains(key.Name))
            {
                throw ApiErrors.Forbidden(resource, key.Name, "this namespace may not be deleted");
            }

            CheckPreconditions(resource, key, value, request);
            if (request.User is { } user)
            {
                policies.Check(new AdmissionAttempt("DELETE", resource, null, null, value, user, request.DryRun, request.Warnings));
            }

            var marked = Mark(resource, value, request);
            if (marked is Marking.Nothing)
            {
                return Versioned(resource, value);
            }

            if (marked is Marking.Remove)
            {
                if (request.DryRun || store.Delete(present) is not null)
                {
                    return AnsweredWithObject.Contains(resource.StorageName) ? Versioned(resource, value) : Success(resource, key, value.Uid());
                }
            }
            else if (request.DryRun)
            {
                return Versioned(resource, value);
            }
            else if (store.Update(present, value) is { } updated)
            {
                return ObjectWriter.FromStorage(resource, updated);
            }
        }
    }

    private static JsonObject Versioned(ResourceDefinition resource, JsonObject value)
    {
        VersionConversion.FromStorage(resource, value);
        return value;
    }

    private static void CheckPreconditions(ResourceDefinition resource, ObjectKey key, JsonObject value, DeleteRequest request)
    {
        if (request.Uid is { } uid && uid != value.Uid())
        {
            throw Precondition(resource, key, $"the UID in the precondition ({uid}) does not match the UID in record ({value.Uid()}). The object might have been deleted and then recreated");
        }

        if (request.ResourceVersion is { } version && version != value.Metadata().Text("resourceVersion"))
        {
            throw Precondition(resource, key, $"the ResourceVersion in the precondition ({version}) does not match the ResourceVersion in record ({value.Metadata().Text("resourceVersion")}). The object might have been modified");
        }
    }

    /// <summary>The one conflict that names the kind instead of the resource.</summary>
    private static ApiException Precondition(ResourceDefinition resource, ObjectKey key, string why)
    {
        var group = resource.Version.Group;
        return new ApiException(409, "Conflict", $"Operation cannot be fulfilled on {(group.Length == 0 ? resource.Kind : $"{resource.Kind}.{group}")} \"{key.Name}\": {why}",
            ApiErrors.Details(resource, key.Name, useKind: true));
    }

    /// <summary>Writes into the object that it is going, and says what is to be done with it.</summary>
    private Marking Mark(ResourceDefinition resource, JsonObject value, DeleteRequest request)
    {
        var metadata = value.Metadata();
        var finalizers = metadata.Texts("finalizers").ToList();
        var before = finalizers.Count;
        SetFinalizer(finalizers, "orphan", request.Propagation == Propagation.Orphan);
        SetFinalizer(finalizers, "foregroundDeletion", request.Propagation == Propagation.Foreground);
        if (resource.StorageName == "namespaces" && value.Object("spec").List("finalizers") is { Count: > 0 })
        {
            value.Ensure("status")["phase"] = "Terminating";
        }
        else if (finalizers.Count == 0 && Grace(resource, value, request) == 0)
        {
            return Marking.Remove;
        }

        var grace = Grace(resource, value, request);
        var already = metadata.Text("deletionTimestamp") is not null;
        if (already && finalizers.Count == before && (metadata.Integer("deletionGracePeriodSeconds") ?? 0) <= grace)
        {
            return Marking.Nothing;
        }

        if (!already || metadata.Integer("deletionGracePeriodSeconds") > grace)
        {
            metadata["deletionTimestamp"] = ObjectAccess.Rfc3339(options.Clock.GetUtcNow().AddSeconds(grace));
            metadata["deletionGracePeriodSeconds"] = grace;
        }

        if (ObjectWriter.HasGeneration(resource) && !already)
        {
            metadata["generation"] = (metadata.Integer("generation") ?? 0) + 1;
        }

        metadata.Remove("finalizers");
        if (finalizers.Count > 0)
        {
            metadata["finalizers"] = new JsonArray([.. finalizers.Select(name => (JsonNode)name)]);
        }

        return Marking.Update;
    }

    /// <summary>Only pods have one: the time their processes get, none when no node has them.</summary>
    private static long Grace(ResourceDefinition resource, JsonObject value, DeleteRequest request)
    {
        if (resource.StorageName != "pods")
        {
            return 0;
        }

        var spec = value.Object("spec");
        var ended = value.Object("status").Text("phase") is "Succeeded" or "Failed";
        return spec.Text("nodeName") is not { Length: > 0 } || ended
            ? 0
            : request.GracePeriodSeconds ?? spec.Integer("terminationGracePeriodSeconds") ?? 30;
    }

    private static void SetFinalizer(List<string> finalizers, string name, bool wanted)
    {
        if (wanted && !finalizers.Contains(name))
        {
            finalizers.Add(name);
        }
        else if (!wanted)
        {
            finalizers.Remove(name);
        }
    }

    private static JsonObject Success(ResourceDefinition resource, ObjectKey key, string uid)
    {
        var details = ApiErrors.Details(resource, key.Name, useKind: false);
        details["uid"] = uid;
        return new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Success",
            ["details"] = details,
        };
    }

    private enum Marking
    {
        Nothing,
        Update,
        Remove,
    }
}
