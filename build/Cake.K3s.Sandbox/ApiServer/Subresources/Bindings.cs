using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer.Subresources;

/// <summary>Gives a pod to a node: the one way in which a scheduler may.</summary>
internal sealed class Bindings(ObjectWriter writer, ApiServerOptions options)
{
    /// <summary>Binds a pod.</summary>
    /// <exception cref="ApiException">There is no such pod, or it has a node already.</exception>
    public JsonObject Bind(ResourceDefinition pods, ObjectKey key, JsonObject binding, WriteOptions write)
    {
        if (binding.Object("target").Text("name") is not { Length: > 0 } node)
        {
            throw ApiErrors.Invalid("", "Binding", key.Name, [FieldError.Required("target.name")]);
        }

        writer.Update(pods, key, "binding", pod =>
        {
            if (pod.Metadata().Text("deletionTimestamp") is not null)
            {
                throw ApiErrors.Conflict(pods, key.Name, $"pod {key.Name} is being deleted, cannot be assigned to a host");
            }

            if (pod.Object("spec").Text("nodeName") is { Length: > 0 } present)
            {
                throw ApiErrors.Conflict(pods, key.Name, $"pod {key.Name} is already assigned to node \"{present}\"");
            }

            pod.Ensure("spec")["nodeName"] = node;
            var conditions = pod.Ensure("status").List("conditions");
            if (conditions is null)
            {
                pod.Ensure("status")["conditions"] = conditions = [];
            }

            foreach (var old in conditions.OfType<JsonObject>().Where(condition => condition.Text("type") == "PodScheduled").ToList())
            {
                conditions.Remove(old);
            }

            conditions.Add(new JsonObject
            {
                ["type"] = "PodScheduled",
                ["status"] = "True",
                ["lastProbeTime"] = null,
                ["lastTransitionTime"] = ObjectAccess.Rfc3339(options.Clock.GetUtcNow()),
            });
            return pod;
        }, write);
        return new JsonObject { ["kind"] = "Status", ["apiVersion"] = "v1", ["metadata"] = new JsonObject(), ["status"] = "Success", ["code"] = 201 };
    }
}
