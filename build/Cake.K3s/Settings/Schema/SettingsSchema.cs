using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Settings.Schema;

/// <summary>
/// The JSON schema of deploy.yaml, made of the same types that the reader fills, so that an editor completes, explains and
/// checks what is typed. Draft 7, which editors know best.
/// </summary>
internal sealed class SettingsSchema(SettingsDocumentation documentation)
{
    // Go's form, as Duration reads it.
    private const string DurationPattern = "^(0|([0-9]+h)?([0-9]+m)?([0-9]+(\\.[0-9]+)?s)?([0-9]+ms)?)$";

    private static readonly JsonSerializerOptions Format = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NewLine = "\n",
    };

    /// <summary>The text of deploy.schema.json.</summary>
    public string Write()
    {
        var schema = Record(typeof(DeploySettings));
        schema.Insert(0, "$schema", "http://json-schema.org/draft-07/schema#");
        schema.Insert(1, "title", "deploy.yaml of Cake.K3s");
        return schema.ToJsonString(Format) + "\n";
    }

    private JsonObject Record(Type type)
    {
        var seen = SettingsType.Of(type);
        var defaults = Activator.CreateInstance(type)!;
        var properties = new JsonObject();
        foreach (var key in seen.Keys)
        {
            properties[key.Name] = Key(key, defaults);
        }

        var required = seen.Keys.Where(key => key.IsRequired).Select(key => (JsonNode)key.Name).ToArray();
        var schema = new JsonObject
        {
            // A key without a value stands for all defaults.
            ["type"] = required.Length == 0 && seen.ExactlyOneOf.IsEmpty ? new JsonArray("object", "null") : "object",
            ["description"] = documentation.Of(type),
            ["properties"] = properties,
            ["additionalProperties"] = false,
        };
        if (required.Length > 0)
        {
            schema["required"] = new JsonArray(required);
        }

        if (!seen.ExactlyOneOf.IsEmpty)
        {
            schema["oneOf"] = new JsonArray([.. seen.ExactlyOneOf.Select(key => new JsonObject { ["required"] = new JsonArray(key.Name) })]);
        }

        return seen.ShortForm is null ? schema : new JsonObject { ["anyOf"] = new JsonArray(Value(typeof(string), null), schema) };
    }

    private JsonObject Key(SettingsKey key, object defaults)
    {
        var schema = Value(key.ValueType, key);
        schema["description"] = documentation.Of(key.Property);
        if (!key.IsRequired && Default(key.Property.GetValue(defaults)) is { } value)
        {
            schema["default"] = value;
        }

        return schema;
    }

    private JsonObject Value(Type type, SettingsKey? key)
    {
        if (SettingsType.ElementOfList(type) is { } element)
        {
            return new JsonObject { ["type"] = new JsonArray("array", "null"), ["items"] = Value(element, null) };
        }

        if (SettingsType.ValueOfMapping(type) is { } value)
        {
            var mapping = new JsonObject { ["type"] = new JsonArray("object", "null") };
            if (key?.Pattern is { } names)
            {
                mapping["patternProperties"] = new JsonObject { [names.Pattern] = Value(value, null) };
                mapping["additionalProperties"] = false;
            }
            else
            {
                mapping["additionalProperties"] = Value(value, null);
            }

            return mapping;
        }

        return SettingsType.IsRecord(type) ? Record(type) : Scalar(type, key);
    }

    private static JsonObject Scalar(Type type, SettingsKey? key)
    {
        if (type == typeof(bool))
        {
            return new JsonObject { ["type"] = "boolean" };
        }

        if (type == typeof(int))
        {
            return key?.Between is { } between
                ? new JsonObject { ["type"] = "integer", ["minimum"] = between.Least, ["maximum"] = between.Greatest }
                : new JsonObject { ["type"] = "integer" };
        }

        if (type == typeof(Duration))
        {
            return new JsonObject { ["type"] = new JsonArray("string", "integer"), ["pattern"] = DurationPattern };
        }

        if (type.IsEnum)
        {
            return new JsonObject { ["enum"] = new JsonArray([.. Enum.GetNames(type).Select(name => (JsonNode)SettingsKey.CamelCase(name))]) };
        }

        // What YAML takes for a number or for true is text all the same.
        var text = new JsonObject { ["type"] = new JsonArray("string", "number", "boolean") };
        if (key?.Pattern is { } pattern)
        {
            text["pattern"] = pattern.Pattern;
        }

        return text;
    }

    private static JsonNode? Default(object? value) => value switch
    {
        string text => text,
        bool flag => flag,
        int number => number,
        Duration duration => duration.ToString(),
        System.Collections.Immutable.ImmutableArray<string> { IsEmpty: false } list => new JsonArray([.. list.Select(item => (JsonNode)item)]),
        Enum member => SettingsKey.CamelCase(Convert.ToString(member, CultureInfo.InvariantCulture)!),
        _ => null,
    };
}
