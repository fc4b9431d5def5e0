using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.ApiServer.Schemas;

/// <summary>
/// Brings an object into the form that a typed server keeps: unknown fields, nulls and empty lists and maps are gone, quantities are
/// canonical, times are whole.
/// </summary>
/// <param name="unknown">Gets the paths of fields that the kind does not have.</param>
internal sealed class SchemaReading(List<string> unknown)
{
    /// <summary>Reads in place.</summary>
    /// <exception cref="SchemaMismatchException">A value has the wrong type.</exception>
    public void Read(JsonObject value, Schema schema)
    {
        if (schema.Object is { } type)
        {
            ReadFields(value, type, schema.PreservesUnknown, "");
        }
    }

    private void ReadFields(JsonObject value, ObjectType type, bool preserve, string path)
    {
        foreach (var (name, content) in value.ToArray())
        {
            if (!type.Fields.TryGetValue(name, out var field))
            {
                if (!preserve)
                {
                    unknown.Add(Join(path, name));
                    value.Remove(name);
                }

                continue;
            }

            if (content is null)
            {
                if (!field.Nullable)
                {
                    value.Remove(name);
                }

                continue;
            }

            var kept = Value(content, field, Join(path, name));
            if (!ReferenceEquals(kept, content))
            {
                value[name] = kept;
            }
            else if (!type.KeepsEmpty && content is JsonArray { Count: 0 } or JsonObject { Count: 0 } && field.Kind is SchemaKind.List or SchemaKind.Map)
            {
                value.Remove(name);
            }
        }
    }

    private JsonNode? Value(JsonNode value, Schema schema, string path)
    {
        switch (schema.Kind)
        {
            case SchemaKind.Object:
                var map = value as JsonObject ?? throw Mismatch(path, value, "object");
                ReadFields(map, schema.Object!, schema.PreservesUnknown, path);
                return value;
            case SchemaKind.Map:
                var entries = value as JsonObject ?? throw Mismatch(path, value, "map");
                foreach (var (key, item) in entries.ToArray())
                {
                    if (item is null)
                    {
                        if (schema.Element!.Kind == SchemaKind.String)
                        {
                            entries[key] = "";
                        }

                        continue;
                    }

                    Replace(item, Value(item, schema.Element!, Join(path, key)), read => entries[key] = read);
                }

                return value;
            case SchemaKind.List:
                var list = value as JsonArray ?? throw Mismatch(path, value, "list");
                for (var at = 0; at < list.Count; at++)
                {
                    if (list[at] is { } item)
                    {
                        var index = at;
                        Replace(item, Value(item, schema.Element!, $"{path}[{at}]"), read => list[index] = read);
                    }
                }

                return value;
            case SchemaKind.String:
                return value.GetValueKind() == JsonValueKind.String ? value : throw Mismatch(path, value, "string");
            case SchemaKind.Bytes:
                return Base64(value, path);
            case SchemaKind.Boolean:
                return value.GetValueKind() is JsonValueKind.True or JsonValueKind.False ? value : throw Mismatch(path, value, "bool");
            case SchemaKind.Integer:
                return Integer(value, schema, path);
            case SchemaKind.Number:
                return value.GetValueKind() == JsonValueKind.Number ? value : throw Mismatch(path, value, "float64");
            case SchemaKind.IntOrString:
                return value.GetValueKind() is JsonValueKind.Number or JsonValueKind.String ? value : throw Mismatch(path, value, "intstr.IntOrString");
            case SchemaKind.Quantity:
                return Quantity(value, path);
            case SchemaKind.Time or SchemaKind.MicroTime:
                return Time(value, schema.Kind == SchemaKind.MicroTime, path);
            default:
                return value;
        }
    }

    private static void Replace(JsonNode before, JsonNode? after, Action<JsonNode?> set)
    {
        if (!ReferenceEquals(before, after))
        {
            set(after);
        }
    }

    private static JsonNode Base64(JsonNode value, string path)
    {
        var text = value.Text() ?? throw Mismatch(path, value, "[]uint8");
        return IsBase64(text)
            ? value
            : throw new SchemaMismatchException($"illegal base64 data at input byte {FirstWrong(text)}");
    }

    private static int FirstWrong(string text)
    {
        var at = text.AsSpan().IndexOfAnyExcept(Base64Digits);
        return at < 0 ? text.Length : at;
    }

    private static bool IsBase64(string text)
    {
        var buffer = text.Length <= 1024 ? stackalloc byte[1024] : new byte[text.Length];
        return Convert.TryFromBase64String(text, buffer, out _);
    }

    private static JsonNode Integer(JsonNode value, Schema schema, string path)
    {
        if (value.GetValueKind() != JsonValueKind.Number || value.Integer() is not { } number)
        {
            throw Mismatch(path, value, schema.Format!);
        }

        return schema.Format == "int32" && number is > int.MaxValue or < int.MinValue ? throw Mismatch(path, value, "int32") : value;
    }

    private static JsonNode Quantity(JsonNode value, string path)
    {
        var text = value.GetValueKind() switch
        {
            JsonValueKind.String => value.Text()!,
            JsonValueKind.Number => value.ToJsonString(),
            _ => throw Mismatch(path, value, "resource.Quantity"),
        };
        var canonical = Quantities.Canonical(text)
            ?? throw new SchemaMismatchException("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
        return value.GetValueKind() == JsonValueKind.String && canonical == text ? value : JsonValue.Create(canonical);
    }

    private static JsonNode Time(JsonNode value, bool micro, string path)
    {
        var text = value.Text() ?? throw Mismatch(path, value, "Time");
        if (!DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
        {
            throw new SchemaMismatchException($"parsing time \"{text}\" as \"2006-01-02T15:04:05Z07:00\": cannot parse \"{text}\" as \"2006\"");
        }

        var canonical = micro
            ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture)
            : ObjectAccess.Rfc3339(time);
        return canonical == text ? value : JsonValue.Create(canonical);
    }

    private static SchemaMismatchException Mismatch(string path, JsonNode value, string expected)
    {
        var got = value.GetValueKind() switch
        {
            JsonValueKind.String => "string",
            JsonValueKind.Number => "number",
            JsonValueKind.True or JsonValueKind.False => "bool",
            JsonValueKind.Array => "array",
            _ => "object",
        };
        return new SchemaMismatchException($"json: cannot unmarshal {got} into Go struct field {path} of type {expected}");
    }

    private static string Join(string path, string name) => path.Length == 0 ? name : $"{path}.{name}";

    private static readonly System.Buffers.SearchValues<char> Base64Digits
        = System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=\r\n");
}

/// <summary>A value does not have the type that its field has.</summary>
internal sealed class SchemaMismatchException(string message) : Exception(message);
