using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.Objects;

/// <summary>Finds the values that an apply is about to take the place of. What the apply adds is not among them: whoever stops applying it takes it away.</summary>
internal static class FormerValues
{
    // The keys by which the API merges the lists of pods and Services, most telling first: volume mounts have a name too, which is not theirs alone.
    private static readonly string[] Keys = ["mountPath", "name", "containerPort", "port"];

    /// <summary>An object that, applied in the place of <paramref name="desired"/>, brings the values of <paramref name="live"/> back.</summary>
    /// <param name="live">The object before.</param>
    /// <param name="desired">The object that is about to be applied.</param>
    public static JsonObject Of(JsonObject live, JsonObject desired)
    {
        var former = Members(live, desired);
        former["apiVersion"] = desired["apiVersion"]?.DeepClone();
        former["kind"] = desired["kind"]?.DeepClone();
        var metadata = former.Child("metadata");
        metadata["name"] = desired.ObjectName();
        if (desired.NamespaceName() is { } ns)
        {
            metadata["namespace"] = ns;
        }

        return former;
    }

    private static JsonObject Members(JsonObject live, JsonObject desired)
    {
        var former = new JsonObject();
        foreach (var (name, wanted) in desired)
        {
            if (live[name] is { } actual && Value(actual, wanted) is { } value)
            {
                former[name] = value;
            }
        }

        return former;
    }

    private static JsonNode? Value(JsonNode live, JsonNode? desired) => (live, desired) switch
    {
        (JsonObject actual, JsonObject wanted) => Members(actual, wanted) is { Count: > 0 } members ? members : null,
        (JsonArray actual, JsonArray wanted) when Array.Find(Keys, key => IsKey(actual, key) && IsKey(wanted, key)) is { } key =>
            Elements(actual, wanted, key) is { Count: > 0 } elements ? elements : null,
        _ => JsonNode.DeepEquals(live, desired) ? null : live.DeepClone(),
    };

    private static JsonArray Elements(JsonArray live, JsonArray desired, string key)
    {
        var former = new JsonArray();
        foreach (var wanted in desired.OfType<JsonObject>())
        {
            var actual = live.OfType<JsonObject>().FirstOrDefault(element => JsonNode.DeepEquals(element[key], wanted[key]));
            if (actual is not null && Members(actual, wanted) is { Count: > 0 } members)
            {
                members[key] = wanted[key]!.DeepClone();
                former.Add((JsonNode)members);
            }
        }

        return former;
    }

    private static bool IsKey(JsonArray list, string key) => list.All(element => element is JsonObject members && members[key] is JsonValue);
}
