using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;
using Cake.Shared;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>
/// Puts values in the place of <c>${NAME}</c>. It works on values that have been read, not on YAML text, so no value can add a
/// line or a member. <c>$${NAME}</c> stays as <c>${NAME}</c>. An unquoted value that is nothing but one <c>${NAME}</c> becomes a
/// number or a truth value if it looks like one (<c>replicas: ${REPLICAS}</c>), except where Kubernetes wants text: in data,
/// labels, annotations, selectors, and in a container's environment.
/// </summary>
internal static partial class Substitution
{
    /// <summary>Stands for a secret whose value is not known yet.</summary>
    public const string UnknownSecret = "(secret)";

    private static readonly HashSet<string> TextMaps = new(StringComparer.Ordinal)
    {
        "data", "stringData", "binaryData", "labels", "annotations", "matchLabels", "selector", "nodeSelector",
    };

    /// <summary>Replaces all names in an object.</summary>
    /// <exception cref="SettingsException">A name has no value, or a secret would land outside a Secret.</exception>
    public static void Apply(JsonObject manifest, SourceMap map, ManifestInputs inputs)
    {
        var isSecret = manifest.Text("kind") == "Secret" && manifest.Text("apiVersion") == "v1";
        Visit(manifest, new(map, inputs, isSecret));
    }

    private static void Visit(JsonNode? node, Scope scope)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members.ToList())
                {
                    Visit(value, scope);
                    if (value is not null && Replaced(value, name, scope) is { } replaced)
                    {
                        members[name] = replaced;
                    }

                    if (name.Contains("${", StringComparison.Ordinal))
                    {
                        Rename(members, name, scope);
                    }
                }

                break;
            case JsonArray elements:
                for (var i = 0; i < elements.Count; i++)
                {
                    Visit(elements[i], scope);
                    if (elements[i] is { } element && Replaced(element, null, scope) is { } replaced)
                    {
                        elements[i] = replaced;
                    }
                }

                break;
        }
    }

    private static JsonNode? Replaced(JsonNode node, string? name, Scope scope)
    {
        if (node is not JsonValue value || !value.TryGetValue(out string? text) || !text.Contains("${", StringComparison.Ordinal))
        {
            return null;
        }

        var onlyInData = scope.IsSecret && node.Parent is JsonObject parent && parent.Parent is JsonObject root && root.Parent is null
            && root["data"] == parent;
        var result = Name().Replace(text, match => ValueOf(match, node, scope, onlyInData));
        var replaced = scope.Map.IsPlain(node) && WholeName().IsMatch(text) && !WantsText(node, name) && !scope.IsSecret
            ? Typed(result)
            : JsonValue.Create(result);
        scope.Map.Move(node, replaced);
        return replaced;
    }

    private static void Rename(JsonObject members, string name, Scope scope)
    {
        var value = members[name];
        var index = members.IndexOf(name);
        var renamed = Name().Replace(name, match => ValueOf(match, value ?? members, scope, false));
        members.RemoveAt(index);
        if (members.ContainsKey(renamed))
        {
            throw scope.Map.PlaceOf(members).Error($"'{name}' becomes '{renamed}', which is said already");
        }

        members.Insert(index, renamed, value);
    }

    private static string ValueOf(Match match, JsonNode node, Scope scope, bool onlyInData)
    {
        if (match.Value.StartsWith("$$", StringComparison.Ordinal))
        {
            return match.Value[1..];
        }

        var name = match.Groups[1].Value;
        if (scope.Inputs.Secrets.TryGetValue(name, out var secret))
        {
            if (!scope.IsSecret)
            {
                throw scope.Map.PlaceOf(node).Error(
                    $"${{{name}}} is a secret, and this is no Secret manifest",
                    "put it into a Secret's stringData and refer to that with secretKeyRef or envFrom");
            }

            if (onlyInData)
            {
                throw scope.Map.PlaceOf(node).Error($"${{{name}}} stands in data, which holds base64", "put it into stringData");
            }

            return secret?.Reveal() ?? UnknownSecret;
        }

        if (scope.Inputs.Variables.TryGetValue(name, out var value))
        {
            return value;
        }

        var nearest = NearestName.Find(name, scope.Inputs.Variables.Keys.Concat(scope.Inputs.Secrets.Keys));
        throw scope.Map.PlaceOf(node).Error(
            $"${{{name}}} has no value{(nearest is null ? "" : $"; did you mean ${{{nearest}}}?")}",
            $"set {name} in the environment's variables or secrets in {scope.Inputs.SettingsFile}, or write $${{{name}}} to keep the text as it is");
    }

    private static bool WantsText(JsonNode node, string? name) =>
        name == "value"
        || (node.Parent is JsonObject parent && parent.Parent is JsonObject && TextMaps.Contains(parent.GetPropertyName()));

    private static JsonValue Typed(string text) => text switch
    {
        "true" => JsonValue.Create(true),
        "false" => JsonValue.Create(false),
        _ when WholeNumber().IsMatch(text) && long.TryParse(text, out var number) => JsonValue.Create(number),
        _ => JsonValue.Create(text),
    };

    [GeneratedRegex(@"\$?\$\{([A-Za-z_][A-Za-z0-9_]*)\}")]
    private static partial Regex Name();

    [GeneratedRegex(@"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$")]
    private static partial Regex WholeName();

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)$")]
    private static partial Regex WholeNumber();

    private sealed record Scope(SourceMap Map, ManifestInputs Inputs, bool IsSecret);
}
