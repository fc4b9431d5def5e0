using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>Compares two objects field by field. Elements of lists are matched by their names where they have some.</summary>
internal static class FieldDiff
{
    // What the API itself keeps, and what only this library reads.
    private static readonly HashSet<string> Bookkeeping = new(StringComparer.Ordinal)
    {
        "metadata.managedFields", "metadata.resourceVersion", "metadata.generation", "metadata.uid", "metadata.creationTimestamp",
        "metadata.selfLink", "metadata.annotations[cake-k3s/applied]", "metadata.labels[applyset.kubernetes.io/part-of]",
        "metadata.annotations[deployment.kubernetes.io/revision]", "status",
    };

    // Where such members stand: one side may have nothing else there.
    private static readonly HashSet<string> HasBookkeeping = new(StringComparer.Ordinal) { "metadata", "metadata.annotations", "metadata.labels" };

    // The members that tell the elements of Kubernetes' lists apart, most telling first.
    private static readonly string[] Keys = ["name", "containerPort", "port", "mountPath", "devicePath", "ip", "type", "key", "uid", "topologyKey"];

    /// <summary>The fields that differ.</summary>
    /// <param name="before">The object now; null if it is not there.</param>
    /// <param name="after">The object afterwards; null if it will not be there.</param>
    public static IEnumerable<FieldChange> Between(JsonObject? before, JsonObject? after) => Compare("", before, after);

    private static IEnumerable<FieldChange> Compare(string path, JsonNode? before, JsonNode? after)
    {
        if (Bookkeeping.Contains(path))
        {
            return [];
        }

        if (HasBookkeeping.Contains(path))
        {
            (before, after) = (before ?? new JsonObject(), after ?? new JsonObject());
        }

        return (before, after) switch
        {
            (JsonObject b, JsonObject a) => b.Select(member => member.Key)
                .Union(a.Select(member => member.Key))
                .SelectMany(name => Compare(Join(path, name), b[name], a[name])),
            (JsonArray b, JsonArray a) => CompareLists(path, b, a),
            _ when JsonNode.DeepEquals(before, after) || (IsNothing(before) && IsNothing(after)) => [],
            _ => [new(path, before, after)],
        };
    }

    private static IEnumerable<FieldChange> CompareLists(string path, JsonArray before, JsonArray after)
    {
        if (JsonNode.DeepEquals(before, after))
        {
            return [];
        }

        var key = Array.Find(Keys, key => IsKey(before, key) && IsKey(after, key));
        if (key is not null)
        {
            var b = before.OfType<JsonObject>().ToDictionary(element => element[key]!.ToString());
            var a = after.OfType<JsonObject>().ToDictionary(element => element[key]!.ToString());
            var changes = b.Keys.Union(a.Keys)
                .SelectMany(name => Compare($"{path}[{name}]", b.GetValueOrDefault(name), a.GetValueOrDefault(name)))
                .ToList();

            // Nothing but the order: then that is the change.
            return changes.Count > 0 ? changes : [new(path, before, after)];
        }

        return before.Count == after.Count && before.Concat(after).All(element => element is JsonObject)
            ? before.Zip(after).SelectMany((pair, index) => Compare($"{path}[{index}]", pair.First, pair.Second))
            : [new(path, before, after)];
    }

    private static bool IsKey(JsonArray list, string key) =>
        list.All(element => element is JsonObject members && members[key] is JsonValue)
        && list.Select(element => element![key]!.ToString()).Distinct(StringComparer.Ordinal).Count() == list.Count;

    private static bool IsNothing(JsonNode? node) => node is null or JsonObject { Count: 0 } or JsonArray { Count: 0 };

    private static string Join(string path, string name) =>
        path.Length == 0 ? name
        : name.AsSpan().ContainsAny("./[]") ? $"{path}[{name}]"
        : $"{path}.{name}";
}
