using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.Objects;

/// <summary>The parts that every Kubernetes object has, on JSON nodes. A field of the wrong type reads as absent.</summary>
internal static class ObjectAccess
{
    public static JsonObject Metadata(this JsonObject value) => value.Object("metadata") ?? (JsonObject)(value["metadata"] = new JsonObject());

    public static string? Name(this JsonObject value) => value.Object("metadata").Text("name");

    public static string? Namespace(this JsonObject value) => value.Object("metadata").Text("namespace");

    public static string Uid(this JsonObject value) => value.Object("metadata").Text("uid") ?? "";

    public static JsonObject? Object(this JsonObject? value, string field) => value?[field] as JsonObject;

    public static JsonObject? Object(this JsonObject? value, string first, string second) => value.Object(first).Object(second);

    public static JsonArray? List(this JsonObject? value, string field) => value?[field] as JsonArray;

    /// <summary>The objects of a list; others in it are left out.</summary>
    public static IEnumerable<JsonObject> Objects(this JsonObject? value, string field)
        => value.List(field)?.OfType<JsonObject>() ?? [];

    /// <summary>The strings of a list.</summary>
    public static IEnumerable<string> Texts(this JsonObject? value, string field)
        => value.List(field)?.Select(item => item.Text()).OfType<string>() ?? [];

    public static string? Text(this JsonObject? value, string field) => value?[field].Text();

    public static string? Text(this JsonNode? value)
        => value is JsonValue text && text.TryGetValue<string>(out var result) ? result : null;

    public static long? Integer(this JsonObject? value, string field) => value?[field].Integer();

    public static long? Integer(this JsonNode? value) => value switch
    {
        JsonValue number when number.TryGetValue<long>(out var result) => result,
        JsonValue number when number.TryGetValue<int>(out var result) => result,
        JsonValue number when number.TryGetValue<double>(out var result) && Math.Floor(result) == result => (long)result,
        _ => null,
    };

    public static bool? Flag(this JsonObject? value, string field)
        => value?[field] is JsonValue flag && flag.TryGetValue<bool>(out var result) ? result : null;

    /// <summary>The string values of a map.</summary>
    public static IReadOnlyDictionary<string, string> Map(this JsonObject? value, string field)
    {
        if (value.Object(field) is not { Count: > 0 } map)
        {
            return EmptyMap;
        }

        var result = new Dictionary<string, string>(map.Count, StringComparer.Ordinal);
        foreach (var (key, item) in map)
        {
            if (item.Text() is { } text)
            {
                result[key] = text;
            }
        }

        return result;
    }

    public static IReadOnlyDictionary<string, string> Labels(this JsonObject value) => value.Object("metadata").Map("labels");

    /// <summary>The object at a field; made when there is none.</summary>
    public static JsonObject Ensure(this JsonObject value, string field)
        => value.Object(field) ?? (JsonObject)(value[field] = new JsonObject());

    /// <summary>Sets a field that is absent.</summary>
    public static void Default(this JsonObject value, string field, JsonNode content)
    {
        if (value[field] is null)
        {
            value[field] = content;
        }
    }

    public static JsonObject Copy(this JsonObject value) => (JsonObject)value.DeepClone();

    /// <summary>Whether two values are the same, whatever the order of their fields.</summary>
    public static bool SameAs(this JsonNode? left, JsonNode? right)
    {
        if (ReferenceEquals(left, right))
        {
            return true;
        }

        switch (left, right)
        {
            case (JsonObject one, JsonObject other):
                if (one.Count != other.Count)
                {
                    return false;
                }

                foreach (var (name, content) in one)
                {
                    if (!other.TryGetPropertyValue(name, out var theirs) || !content.SameAs(theirs))
                    {
                        return false;
                    }
                }

                return true;
            case (JsonArray one, JsonArray other):
                if (one.Count != other.Count)
                {
                    return false;
                }

                for (var at = 0; at < one.Count; at++)
                {
                    if (!one[at].SameAs(other[at]))
                    {
                        return false;
                    }
                }

                return true;
            case (JsonValue one, JsonValue other):
                return one.TryGetValue<string>(out var text)
                    ? other.TryGetValue<string>(out var theirText) && text == theirText
                    : one.Integer() is { } number ? other.Integer() == number : JsonNode.DeepEquals(one, other);
            default:
                return false;
        }
    }

    public static string Rfc3339(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);

    /// <summary>Whether a value is a JSON string, number, boolean, object, array or null.</summary>
    public static JsonValueKind KindOf(JsonNode? value) => value?.GetValueKind() ?? JsonValueKind.Null;

    private static readonly Dictionary<string, string> EmptyMap = [];
}
