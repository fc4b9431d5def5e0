using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.Cel;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>The rules in CEL of a definition's schema (<c>x-kubernetes-validations</c>), answered in the words of the API server.</summary>
internal static class CustomRules
{
    private const string Rules = "x-kubernetes-validations";

    /// <summary>Which rules an object breaks.</summary>
    /// <param name="schema">The schema of the value.</param>
    /// <param name="value">The object, or a part of it.</param>
    /// <param name="old">What it was before; null where it is new. Rules about <c>oldSelf</c> are for changes only.</param>
    /// <param name="path">Where the value is; empty for the object itself.</param>
    public static IEnumerable<FieldError> Check(JsonObject schema, JsonNode value, JsonNode? old, string path = "") =>
    [
        .. schema.Objects(Rules).Select(rule => Problem(rule, value, old, path)).OfType<FieldError>(),
        .. Parts(schema, value, old, path).SelectMany(part => Check(part.Schema, part.Value, part.Old, part.Path)),
    ];

    /// <summary>The rules of a schema that cannot be compiled.</summary>
    /// <param name="schema">The schema.</param>
    /// <param name="path">Where it is in the definition.</param>
    public static IEnumerable<FieldError> CheckDefinition(JsonObject schema, string path)
    {
        var at = 0;
        foreach (var rule in schema.Objects(Rules))
        {
            var place = $"{path}.{Rules}[{(at++).ToString(CultureInfo.InvariantCulture)}]";
            foreach (var (field, text) in new[] { ("rule", rule.Text("rule")), ("messageExpression", rule.Text("messageExpression")) })
            {
                if (text is { Length: > 0 } && CompileError(text) is { } problem)
                {
                    yield return FieldError.InvalidAs($"{place}.{field}", JsonBody.Text(rule), "compilation failed: " + problem);
                }
            }

            if (rule.Text("rule") is not { Length: > 0 })
            {
                yield return FieldError.Required($"{place}.rule", "rule is not specified");
            }
        }

        IEnumerable<(string Path, JsonNode? Schema)> inner =
        [
            .. (schema.Object("properties") ?? []).Select(property => ($"{path}.properties[{property.Key}]", property.Value)),
            ($"{path}.additionalProperties", schema["additionalProperties"]),
            ($"{path}.items", schema["items"]),
        ];
        foreach (var error in inner.SelectMany(one => one.Schema is JsonObject part ? CheckDefinition(part, one.Path) : []))
        {
            yield return error;
        }
    }

    private static FieldError? Problem(JsonObject rule, JsonNode value, JsonNode? old, string path)
    {
        var text = rule.Text("rule") ?? "";
        var isAboutChange = text.Contains("oldSelf", StringComparison.Ordinal) && rule.Flag("optionalOldSelf") != true;
        if (isAboutChange && old is null)
        {
            return null;
        }

        var values = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["self"] = CelValues.Of(value),
            ["oldSelf"] = rule.Flag("optionalOldSelf") == true ? new CelOptional(old is not null, CelValues.Of(old)) : CelValues.Of(old),
        };
        try
        {
            return CelProgram.Compile(text, values.Keys).Evaluate(values) is true ? null : Broken(rule, value, path, Message(rule, values));
        }
        catch (CelException exception)
        {
            return Invalid(path, value, $"{exception.Message} evaluating rule: {FixedMessage(rule, "")}");
        }
    }

    private static FieldError Broken(JsonObject rule, JsonNode value, string path, string message)
    {
        var field = (path + rule.Text("fieldPath")).TrimStart('.');
        return rule.Text("reason") switch
        {
            "FieldValueForbidden" => FieldError.Forbidden(field, message),
            "FieldValueRequired" => FieldError.Required(field, message),
            "FieldValueDuplicate" => FieldError.Duplicate(field, TypeOf(value)),
            _ => Invalid(field, value, message),
        };
    }

    private static FieldError Invalid(string field, JsonNode value, string message) => FieldError.Invalid(field.Length == 0 ? "<nil>" : field, TypeOf(value), message);

    private static string Message(JsonObject rule, Dictionary<string, object?> values)
    {
        try
        {
            if (rule.Text("messageExpression") is { Length: > 0 } expression
                && CelProgram.Compile(expression, values.Keys).Evaluate(values) is string said && said.Trim() is { Length: > 0 } message && !message.Contains('\n', StringComparison.Ordinal))
            {
                return message;
            }
        }
        catch (CelException)
        {
            // As the API server has it: a message that cannot be made falls back to the fixed one.
        }

        return FixedMessage(rule, "failed rule: ");
    }

    private static string FixedMessage(JsonObject rule, string prefix) => rule.Text("message") is { Length: > 0 } message ? message.Trim() : prefix + rule.Text("rule")?.Trim();

    /// <summary>What of a value has a schema of its own. Elements of a list have a past only where the schema says by which keys to know them.</summary>
    private static IEnumerable<(JsonObject Schema, JsonNode Value, JsonNode? Old, string Path)> Parts(JsonObject schema, JsonNode value, JsonNode? old, string path)
    {
        switch (value)
        {
            case JsonObject map:
                foreach (var (name, content) in map)
                {
                    if (content is not null && (schema.Object("properties").Object(name) ?? schema.Object("additionalProperties")) is { } part)
                    {
                        yield return (part, content, (old as JsonObject)?[name], path.Length == 0 ? name : $"{path}.{name}");
                    }
                }

                break;
            case JsonArray list when schema.Object("items") is { } part:
                string[] keys = [.. schema.Texts("x-kubernetes-list-map-keys")];
                for (var at = 0; at < list.Count; at++)
                {
                    if (list[at] is { } content)
                    {
                        var before = keys.Length == 0 ? null : (old as JsonArray)?.FirstOrDefault(one => keys.All(key => (one as JsonObject)?[key].SameAs((content as JsonObject)?[key]) == true));
                        yield return (part, content, before, $"{path}[{at.ToString(CultureInfo.InvariantCulture)}]");
                    }
                }

                break;
        }
    }

    private static string? CompileError(string expression)
    {
        try
        {
            CelProgram.Compile(expression, "self", "oldSelf");
            return null;
        }
        catch (CelException exception)
        {
            return exception.Message;
        }
    }

    private static string TypeOf(JsonNode value) => value.GetValueKind() switch
    {
        JsonValueKind.Object => "object",
        JsonValueKind.Array => "array",
        JsonValueKind.String => "string",
        JsonValueKind.Number => value.Integer() is null ? "number" : "integer",
        _ => "boolean",
    };
}
