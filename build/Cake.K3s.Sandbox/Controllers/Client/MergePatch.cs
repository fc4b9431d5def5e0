using System.Text.Json.Nodes;
using k8s;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>The RFC 7386 patch that leads from one document to another.</summary>
internal static class MergePatch
{
    /// <summary>The patch between two models; null when they are the same.</summary>
    public static JsonObject? Between(object? from, object to)
    {
        var before = from is null ? new JsonObject() : ToJson(from);
        return Between(before, ToJson(to));
    }

    public static JsonObject ToJson(object model) => JsonNode.Parse(KubernetesJson.Serialize(model))!.AsObject();

    private static JsonObject? Between(JsonObject from, JsonObject to)
    {
        var patch = new JsonObject();
        foreach (var (name, value) in to)
        {
            if (!from.TryGetPropertyValue(name, out var old))
            {
                patch[name] = value?.DeepClone();
            }
            else if (old is JsonObject oldObject && value is JsonObject newObject)
            {
                if (Between(oldObject, newObject) is { } nested)
                {
                    patch[name] = nested;
                }
            }
            else if (!JsonNode.DeepEquals(old, value))
            {
                patch[name] = value?.DeepClone();
            }
        }

        foreach (var (name, _) in from)
        {
            if (!to.ContainsKey(name))
            {
                patch[name] = null;
            }
        }

        return patch.Count == 0 ? null : patch;
    }
}
