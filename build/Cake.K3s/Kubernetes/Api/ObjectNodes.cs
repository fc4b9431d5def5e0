using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Reads the parts that every Kubernetes object has, from its JSON. Whatever is missing or of another type reads as null.</summary>
public static class ObjectNodes
{
    // The schemas inside CRDs nest deeper than the 64 levels that are read by default.
    private static readonly JsonDocumentOptions Deep = new() { MaxDepth = 512 };

    /// <summary>Reads a JSON object.</summary>
    /// <exception cref="JsonException">It is none.</exception>
    public static JsonObject Parse(ReadOnlySpan<byte> json) =>
        JsonNode.Parse(json, documentOptions: Deep) as JsonObject ?? throw new JsonException("a JSON object was expected");

    /// <summary>The node at a path of member names, or null.</summary>
    public static JsonNode? At(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        foreach (var member in path)
        {
            if (node is not JsonObject parent || !parent.TryGetPropertyValue(member, out node))
            {
                return null;
            }
        }

        return node;
    }

    /// <summary>The text at a path of member names; null if there is none or it is no string.</summary>
    public static string? Text(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue value && value.TryGetValue(out string? text) ? text : null;

    /// <summary>The whole number at a path of member names; null if there is none or it is no such number.</summary>
    public static long? Number(this JsonNode? node, params ReadOnlySpan<string> path) => node.At(path) switch
    {
        JsonValue value when value.TryGetValue(out long number) => number,
        JsonValue value when value.TryGetValue(out int number) => number,
        _ => null,
    };

    /// <summary>The truth value at a path of member names; null if there is none or it is no such value.</summary>
    public static bool? Flag(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonValue value && value.TryGetValue(out bool flag) ? flag : null;

    /// <summary>The objects in the array at a path of member names; none if there is no array.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonNode? node, params ReadOnlySpan<string> path) =>
        node.At(path) is JsonArray array ? array.OfType<JsonObject>() : [];

    /// <summary>The texts in the object at a path of member names, e.g. labels; members that are no strings are left out.</summary>
    public static IEnumerable<KeyValuePair<string, string>> Texts(this JsonNode? node, params ReadOnlySpan<string> path)
    {
        return node.At(path) is JsonObject parent ? Members(parent) : [];

        static IEnumerable<KeyValuePair<string, string>> Members(JsonObject parent)
        {
            foreach (var (name, member) in parent)
            {
                if (member is JsonValue value && value.TryGetValue(out string? text))
                {
                    yield return new(name, text);
                }
            }
        }
    }

    /// <summary><c>metadata.name</c>.</summary>
    public static string? ObjectName(this JsonNode? node) => node.Text("metadata", "name");

    /// <summary><c>metadata.namespace</c>.</summary>
    public static string? NamespaceName(this JsonNode? node) => node.Text("metadata", "namespace");

    /// <summary><c>metadata.uid</c>.</summary>
    public static string? Uid(this JsonNode? node) => node.Text("metadata", "uid");

    /// <summary><c>metadata.resourceVersion</c>.</summary>
    public static string? ResourceVersion(this JsonNode? node) => node.Text("metadata", "resourceVersion");

    /// <summary>A label's value, or null.</summary>
    public static string? Label(this JsonNode? node, string name) => node.Text("metadata", "labels", name);

    /// <summary>An annotation's value, or null.</summary>
    public static string? Annotation(this JsonNode? node, string name) => node.Text("metadata", "annotations", name);

    /// <summary>The object at a member, made where it is missing.</summary>
    public static JsonObject Child(this JsonObject node, string member)
    {
        if (node[member] is JsonObject child)
        {
            return child;
        }

        child = [];
        node[member] = child;
        return child;
    }

    /// <summary>
    /// Whether all that <paramref name="wanted"/> says is so in <paramref name="actual"/>, which may say more: members of
    /// objects are compared by name, arrays element by element.
    /// </summary>
    public static bool Holds(this JsonNode? actual, JsonNode? wanted) => (actual, wanted) switch
    {
        (_, null) => true,
        (JsonObject a, JsonObject w) => w.All(member => a.TryGetPropertyValue(member.Key, out var value)
            ? value.Holds(member.Value)
            : member.Value is null),
        (JsonArray a, JsonArray w) => a.Count == w.Count && a.Zip(w).All(pair => pair.First.Holds(pair.Second)),
        _ => JsonNode.DeepEquals(actual, wanted),
    };
}
