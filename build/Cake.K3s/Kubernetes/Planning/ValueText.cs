using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>Shows the values of changed fields to people; those of Secrets never.</summary>
internal static class ValueText
{
    private const int Longest = 160;
    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Whether a field's value must not be shown.</summary>
    public static bool IsSecret(ObjectKey key, FieldChange change) =>
        key.Type is { Group: "", Kind: "Secret" }
        && (change.Path is "" or "data" or "stringData" || change.Path.StartsWith("data.", StringComparison.Ordinal)
            || change.Path.StartsWith("data[", StringComparison.Ordinal) || change.Path.StartsWith("stringData", StringComparison.Ordinal)
            || change.Path.Contains("last-applied-configuration", StringComparison.Ordinal));

    /// <summary>The lines that show a change: one where it fits, else the lines of text that differ.</summary>
    public static IEnumerable<string> Lines(ObjectKey key, FieldChange change)
    {
        if (IsSecret(key, change))
        {
            var what = (change.Before, change.After) switch
            {
                (null, _) => "(secret) added",
                (_, null) => "(secret) removed",
                _ => "(secret) changed",
            };
            return [$"{change.Path}: {what}"];
        }

        if (change is { Before: JsonValue before, After: JsonValue after }
            && before.TryGetValue(out string? old) && after.TryGetValue(out string? now) && (old.Contains('\n') || now.Contains('\n')))
        {
            return LineDiff.Between(old, now).Prepend($"{change.Path}:");
        }

        return (change.Before, change.After) switch
        {
            (null, { } added) => [$"{change.Path}: + {Short(added)}"],
            ({ } removed, null) => [$"{change.Path}: - {Short(removed)}"],
            var (from, to) => [$"{change.Path}: {Short(from)} → {Short(to)}"],
        };
    }

    private static string Short(JsonNode? node)
    {
        var text = node is JsonValue value && value.TryGetValue(out string? plain) && !plain.Contains('\n') ? plain : node?.ToJsonString(Readable) ?? "null";
        return text.Length <= Longest ? text : string.Concat(text.AsSpan(0, Longest), "…");
    }
}
