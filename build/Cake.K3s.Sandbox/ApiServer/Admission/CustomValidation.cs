using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Checks custom resources against the schema of their definition, and then against its rules.</summary>
internal static class CustomValidation
{
    private static readonly TimeSpan PatternTime = TimeSpan.FromMilliseconds(200);

    public static IEnumerable<FieldError> Check(ResourceDefinition resource, JsonObject value, JsonObject? old)
    {
        var errors = new List<FieldError>();
        foreach (var (name, schema) in resource.Custom!.OpenApi.Object("properties") ?? [])
        {
            if (name is not ("apiVersion" or "kind" or "metadata") && schema is JsonObject rules)
            {
                if (value[name] is { } content)
                {
                    Value(content, rules, name, errors);
                }
            }
        }

        foreach (var required in resource.Custom.OpenApi.Texts("required"))
        {
            if (value[required] is null)
            {
                errors.Add(FieldError.Required(required));
            }
        }

        return errors.Count > 0 ? errors : CustomRules.Check(resource.Custom.OpenApi, value, old);
    }

    private static void Value(JsonNode value, JsonObject schema, string path, List<FieldError> errors)
    {
        if (!HasType(value, schema, path, errors))
        {
            return;
        }

        if (schema.List("enum") is { } allowed && !allowed.Any(one => one.SameAs(value)))
        {
            errors.Add(new FieldError(path, "FieldValueNotSupported",
                $"Unsupported value: {Shown(value)}: supported values: {string.Join(", ", allowed.Select(Shown))}"));
        }

        switch (value)
        {
            case JsonObject map:
                Map(map, schema, path, errors);
                break;
            case JsonArray list:
                Bounds(list.Count, schema, "minItems", "maxItems", path, value, "should have at least {0} items", "must have at most {0} items", errors);
                if (schema.Object("items") is { } items)
                {
                    for (var at = 0; at < list.Count; at++)
                    {
                        if (list[at] is { } item)
                        {
                            Value(item, items, $"{path}[{at.ToString(CultureInfo.InvariantCulture)}]", errors);
                        }
                    }
                }

                break;
            case JsonValue when value.Text() is { } text:
                Bounds(text.Length, schema, "minLength", "maxLength", path, value, "should be at least {0} chars long", "may not be longer than {0}", errors);
                if (schema.Text("pattern") is { } pattern && !Matches(text, pattern))
                {
                    errors.Add(FieldError.Invalid(path, value, $"{path} in body should match '{pattern}'"));
                }

                break;
            case JsonValue when value.GetValueKind() == JsonValueKind.Number:
                Number(value, schema, path, errors);
                break;
        }
    }

    private static bool HasType(JsonNode value, JsonObject schema, string path, List<FieldError> errors)
    {
        var kind = value.GetValueKind();
        if (schema.Flag("x-kubernetes-int-or-string") == true)
        {
            return kind is JsonValueKind.Number or JsonValueKind.String;
        }

        var fits = schema.Text("type") switch
        {
            "object" => kind == JsonValueKind.Object,
            "array" => kind == JsonValueKind.Array,
            "string" => kind == JsonValueKind.String,
            "boolean" => kind is JsonValueKind.True or JsonValueKind.False,
            "integer" => kind == JsonValueKind.Number && value.Integer() is not null,
            "number" => kind == JsonValueKind.Number,
            _ => true,
        };
        if (!fits)
        {
            var actual = kind switch
            {
                JsonValueKind.Object => "object",
                JsonValueKind.Array => "array",
                JsonValueKind.String => "string",
                JsonValueKind.Number => value.Integer() is null ? "number" : "integer",
                _ => "boolean",
            };
            errors.Add(new FieldError(path, "FieldValueTypeInvalid",
                $"Invalid value: \"{actual}\": {path} in body must be of type {schema.Text("type")}: \"{actual}\""));
        }

        return fits;
    }

    private static void Map(JsonObject map, JsonObject schema, string path, List<FieldError> errors)
    {
        foreach (var required in schema.Texts("required"))
        {
            if (map[required] is null)
            {
                errors.Add(FieldError.Required($"{path}.{required}"));
            }
        }

        var properties = schema.Object("properties");
        var additional = schema.Object("additionalProperties");
        Bounds(map.Count, schema, "minProperties", "maxProperties", path, map, "should have at least {0} properties", "must have at most {0} items", errors);
        foreach (var (name, content) in map)
        {
            if (content is not null && (properties.Object(name) ?? additional) is { } rules)
            {
                Value(content, rules, $"{path}.{name}", errors);
            }
        }
    }

    private static void Number(JsonNode value, JsonObject schema, string path, List<FieldError> errors)
    {
        var number = double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture);
        if (schema["minimum"] is { } least && number < double.Parse(least.ToJsonString(), CultureInfo.InvariantCulture))
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be greater than or equal to {least.ToJsonString()}"));
        }

        if (schema["maximum"] is { } most && number > double.Parse(most.ToJsonString(), CultureInfo.InvariantCulture))
        {
            errors.Add(FieldError.Invalid(path, value, $"{path} in body should be less than or equal to {most.ToJsonString()}"));
        }
    }

    private static void Bounds(
        int count, JsonObject schema, string least, string most, string path, JsonNode value, string tooFew, string tooMany, List<FieldError> errors)
    {
        if (count < schema.Integer(least))
        {
            errors.Add(FieldError.Invalid(path, value.DeepClone(), $"{path} in body {string.Format(CultureInfo.InvariantCulture, tooFew, schema.Integer(least))}"));
        }

        if (count > schema.Integer(most))
        {
            errors.Add(new FieldError(path, "FieldValueTooLong", $"Too long: {string.Format(CultureInfo.InvariantCulture, tooMany, schema.Integer(most))}"));
        }
    }

    private static bool Matches(string text, string pattern)
    {
        try
        {
            return Regex.IsMatch(text, pattern, RegexOptions.CultureInvariant, PatternTime);
        }
        catch (Exception exception) when (exception is ArgumentException or RegexMatchTimeoutException)
        {
            // A pattern in Go's dialect that .NET cannot read: a rehearsal must not fail on it.
            return true;
        }
    }

    private static string Shown(JsonNode? value) => value is null ? "null" : JsonBody.Text(value);
}
