using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>
/// Reads <c>metadata.managedFields</c>. The API takes a field away from its owner as soon as anybody else changes or removes it,
/// so whoever still owns all that it applied knows that nothing of it has drifted.
/// </summary>
internal static class FieldOwnership
{
    /// <summary>Whether a manager, by applying, owns every field that an object sets.</summary>
    /// <param name="live">The object as it is in the cluster.</param>
    /// <param name="manager">The field manager.</param>
    /// <param name="applied">The object as it was applied.</param>
    public static bool OwnsAll(JsonObject live, string manager, JsonObject applied) =>
        AppliedFields(live, manager) is { } fields
        && applied.All(member => member.Key switch
        {
            "apiVersion" or "kind" => true,
            "metadata" => member.Value is JsonObject metadata && metadata.All(part =>
                part.Key is "name" or "namespace" || Owns(fields["f:metadata"] as JsonObject, part.Key, part.Value)),
            _ => Owns(fields, member.Key, member.Value),
        });

    /// <summary>Whether a manager applied an object at all.</summary>
    public static bool Applied(JsonObject live, string manager) => AppliedFields(live, manager) is not null;

    private static JsonObject? AppliedFields(JsonObject live, string manager) => live.Objects("metadata", "managedFields")
        .FirstOrDefault(entry => entry.Text("manager") == manager
            && entry.Text("operation") == "Apply"
            && entry.Text("subresource") is null or "")
        ?["fieldsV1"] as JsonObject;

    private static bool Owns(JsonObject? fields, string name, JsonNode? value) =>
        value is null || (fields?["f:" + name] is JsonObject field && OwnsAll(field, value));

    private static bool OwnsAll(JsonObject fields, JsonNode value) =>

        // No fields below: the value is owned as a whole.
        fields.Count == 0 || value switch
        {
            JsonObject members => members.All(member => Owns(fields, member.Key, member.Value)),
            JsonArray elements => elements.All(element => element is null || OwnsElement(fields, element)),
            _ => true,
        };

    private static bool OwnsElement(JsonObject fields, JsonNode element) => element is JsonObject members
        ? fields.Any(field => field.Key.StartsWith("k:", StringComparison.Ordinal)
            && HasKey(members, field.Key[2..])
            && field.Value is JsonObject below
            && OwnsAll(below, members))
        : fields.Any(field => field.Key.StartsWith("v:", StringComparison.Ordinal) && JsonNode.DeepEquals(Parse(field.Key[2..]), element));

    /// <summary>Whether an element has a key such as <c>{"containerPort":80,"protocol":"TCP"}</c>; a part that it leaves out is a default.</summary>
    private static bool HasKey(JsonObject element, string key) =>
        Parse(key) is JsonObject parts
        && parts.All(part => element[part.Key] is not { } value || JsonNode.DeepEquals(value, part.Value));

    private static JsonNode? Parse(string json)
    {
        try
        {
            return JsonNode.Parse(json);
        }
        catch (JsonException)
        {
            // Not a key that this code knows the form of: then it counts as not owned, and the object is applied again.
            return null;
        }
    }
}
