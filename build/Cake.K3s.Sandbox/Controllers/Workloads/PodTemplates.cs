using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Workloads;

/// <summary>Whether two revisions of a workload run the same pods.</summary>
internal static class PodTemplates
{
    public const string HashLabel = "pod-template-hash";

    public static bool Same(V1PodTemplateSpec one, V1PodTemplateSpec other) => JsonNode.DeepEquals(Canonical(one), Canonical(other));

    /// <summary>The hash that names a ReplicaSet; a collision count gives another one.</summary>
    public static string Hash(V1PodTemplateSpec template, int? collisions) =>
        Fnv.Safe(Canonical(template).ToJsonString() + (collisions is null ? "" : $"#{collisions}"));

    /// <summary>Sorted, without what is empty: Kubernetes takes none and an empty one for the same.</summary>
    private static JsonNode Canonical(V1PodTemplateSpec template)
    {
        var json = MergePatch.ToJson(template);
        if (json["metadata"] is JsonObject metadata)
        {
            (metadata["labels"] as JsonObject)?.Remove(HashLabel);
            metadata.Remove("creationTimestamp");
        }

        return Canonical(json) ?? new JsonObject();
    }

    private static JsonNode? Canonical(JsonNode? node) => node switch
    {
        JsonObject item => new JsonObject(item.OrderBy(pair => pair.Key, StringComparer.Ordinal)
            .Select(pair => KeyValuePair.Create(pair.Key, Canonical(pair.Value))).Where(pair => pair.Value is not null)) is { Count: > 0 } kept ? kept : null,
        JsonArray list => list.Count == 0 ? null : new JsonArray([.. list.Select(Canonical)]),
        _ => node?.DeepClone(),
    };
}
