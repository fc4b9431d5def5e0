using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.Objects;

/// <summary>Reads and writes the JSON of objects.</summary>
internal static class JsonBody
{
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = 256 };
    private static readonly JsonWriterOptions Writing = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
        MaxDepth = 512,
    };

    private static readonly JsonSerializerOptions Serializing = new()
    {
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = 512,
    };

    /// <summary>
    /// Reads a value. Of a field that is there twice the last one counts, as in Go; <paramref name="duplicates"/> gets the paths.
    /// </summary>
    /// <exception cref="JsonException">It is not JSON.</exception>
    public static JsonNode? Read(ReadOnlySpan<byte> json, List<string>? duplicates = null)
    {
        var reader = new Utf8JsonReader(json, Reading);
        reader.Read();
        var value = ReadValue(ref reader, duplicates, "");
        if (reader.Read())
        {
            throw new JsonException("invalid data after top-level value");
        }

        return value;
    }

    public static JsonObject ReadObject(ReadOnlySpan<byte> json)
        => Read(json) as JsonObject ?? throw new JsonException("the value is not an object");

    public static byte[] Write(JsonNode? value)
    {
        var buffer = new ArrayBufferWriter<byte>(2048);
        Write(value, buffer);
        return buffer.WrittenSpan.ToArray();
    }

    public static void Write(JsonNode? value, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, Writing);
        if (value is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            value.WriteTo(writer, Serializing);
        }
    }

    public static string Text(JsonNode? value) => Encoding.UTF8.GetString(Write(value));

    private static JsonNode? ReadValue(ref Utf8JsonReader reader, List<string>? duplicates, string path)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject:
                var map = new JsonObject();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    var at = duplicates is null ? "" : path.Length == 0 ? name : $"{path}.{name}";
                    var value = ReadValue(ref reader, duplicates, at);
                    if (duplicates is not null && map.ContainsKey(name))
                    {
                        duplicates.Add(at);
                    }

                    map[name] = value;
                }

                return map;
            case JsonTokenType.StartArray:
                var list = new JsonArray();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    list.Add(ReadValue(ref reader, duplicates, duplicates is null ? "" : $"{path}[{list.Count}]"));
                }

                return list;
            case JsonTokenType.String:
                return JsonValue.Create(reader.GetString()!);
            case JsonTokenType.Number:
                return reader.TryGetInt64(out var integer) ? JsonValue.Create(integer) : JsonValue.Create(reader.GetDouble());
            case JsonTokenType.True:
                return JsonValue.Create(true);
            case JsonTokenType.False:
                return JsonValue.Create(false);
            default:
                return null;
        }
    }
}
