using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Protobuf;

/// <summary>
/// Reads objects that clients send in Kubernetes' protobuf encoding: kubectl's typed commands (create, drain, autoscale) do so from
/// version 1.32 on. Answers are always JSON, which the same clients accept.
/// </summary>
internal static class ProtobufBody
{
    public const string ContentType = "application/vnd.kubernetes.protobuf";

    private static ReadOnlySpan<byte> Magic => "k8s\0"u8;

    public static bool IsProtobuf(ReadOnlySpan<byte> body) => body.StartsWith(Magic);

    /// <summary>Reads an object.</summary>
    /// <exception cref="FormatException">It is not one, or of a kind whose encoding is not known here.</exception>
    public static JsonObject Read(ReadOnlySpan<byte> body)
    {
        var (apiVersion, kind) = ("", "");
        var raw = ReadOnlySpan<byte>.Empty;
        var reader = new ProtobufReader(body[Magic.Length..]);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    var type = new ProtobufReader(reader.Bytes);
                    while (type.Next())
                    {
                        _ = type.Field == 1 ? apiVersion = type.Text : kind = type.Text;
                    }

                    break;
                case 2:
                    raw = reader.Bytes;
                    break;
            }
        }

        if (raw.StartsWith("{"u8))
        {
            return JsonBody.ReadObject(raw);
        }

        if (!ProtobufFields.Kinds.TryGetValue($"{apiVersion}/{kind}", out var model) && !ProtobufFields.Kinds.TryGetValue($"*/{kind}", out model))
        {
            throw new FormatException($"the protobuf encoding of {kind} in {apiVersion} is not supported: send JSON");
        }

        var result = new JsonObject { ["apiVersion"] = apiVersion, ["kind"] = kind };
        Message(raw, ModelSchemas.ForModel(model).Object!, result);
        return result;
    }

    private static void Message(ReadOnlySpan<byte> bytes, ObjectType type, JsonObject into)
    {
        Fields(bytes, type.Name, type, into);
        Tidy(into, type);
    }

    private static void Fields(ReadOnlySpan<byte> bytes, string message, ObjectType type, JsonObject into)
    {
        var numbers = ProtobufFields.Of(message);
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (!numbers.TryGetValue(reader.Field, out var name))
            {
                throw new FormatException($"field {reader.Field} of {message} is not known in the protobuf encoding: send JSON");
            }

            if (name[0] == '@')
            {
                Fields(reader.Bytes, name[1..], type, into);
                continue;
            }

            if (!type.Fields.TryGetValue(name, out var schema))
            {
                continue;
            }

            switch (schema.Kind)
            {
                case SchemaKind.List:
                    var list = into[name] as JsonArray ?? [];
                    into[name] ??= list;
                    list.Add(Value(ref reader, schema.Element!));
                    break;
                case SchemaKind.Map:
                    Entry(reader.Bytes, schema.Element!, into.Ensure(name));
                    break;
                default:
                    into[name] = Value(ref reader, schema);
                    break;
            }
        }
    }

    /// <summary>Go writes empty strings and zeros that JSON leaves out; a zero that means something is in a pointer, which is only written when set.</summary>
    private static void Tidy(JsonObject value, ObjectType type)
    {
        foreach (var (name, content) in value.ToArray())
        {
            var absent = content switch
            {
                null => true,
                JsonObject { Count: 0 } => ProtobufFields.IsByValue(name) && type.Fields.GetValueOrDefault(name)?.Kind == SchemaKind.Object,
                JsonValue text when text.Text() is { } characters => characters.Length == 0,
                JsonValue number => ProtobufFields.IsByValue(name) && (number.Integer() == 0 || number.GetValueKind() == JsonValueKind.False),
                _ => false,
            };
            if (absent)
            {
                value.Remove(name);
            }
        }
    }

    private static JsonNode? Value(ref ProtobufReader reader, Schema schema)
    {
        switch (schema.Kind)
        {
            case SchemaKind.String:
                return reader.Text;
            case SchemaKind.Bytes:
                return Convert.ToBase64String(reader.Bytes);
            case SchemaKind.Boolean:
                return reader.Number != 0;
            case SchemaKind.Integer:
                return schema.Format == "int32" ? (int)reader.Number : reader.Number;
            case SchemaKind.Quantity:
                return Single(reader.Bytes, static field => field.Text) ?? "0";
            case SchemaKind.IntOrString:
                return IntOrString(reader.Bytes);
            case SchemaKind.Time or SchemaKind.MicroTime:
                return Time(reader.Bytes, schema.Kind == SchemaKind.MicroTime);
            case SchemaKind.Object:
                var message = new JsonObject();
                Message(reader.Bytes, schema.Object!, message);
                return message;
            case SchemaKind.List:
                var list = new JsonArray();
                var items = new ProtobufReader(reader.Bytes);
                while (items.Next())
                {
                    list.Add(Value(ref items, schema.Element!));
                }

                return list;
            default:
                return Single(reader.Bytes, static field => JsonBody.Text(JsonBody.Read(field.Bytes))) is { } json ? JsonNode.Parse(json) : null;
        }
    }

    private static void Entry(ReadOnlySpan<byte> bytes, Schema element, JsonObject into)
    {
        var key = "";
        JsonNode? value = element.Kind == SchemaKind.String || element.Kind == SchemaKind.Bytes ? "" : null;
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            if (reader.Field == 1)
            {
                key = reader.Text;
            }
            else
            {
                value = Value(ref reader, element);
            }
        }

        into[key] = value;
    }

    private static string? Single(ReadOnlySpan<byte> bytes, ReadField read)
    {
        var reader = new ProtobufReader(bytes);
        return reader.Next() ? read(reader) : null;
    }

    private static JsonNode IntOrString(ReadOnlySpan<byte> bytes)
    {
        var (isText, number, text) = (false, 0, "");
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            switch (reader.Field)
            {
                case 1:
                    isText = reader.Number == 1;
                    break;
                case 2:
                    number = (int)reader.Number;
                    break;
                case 3:
                    text = reader.Text;
                    break;
            }
        }

        return isText ? text : number;
    }

    private static JsonNode? Time(ReadOnlySpan<byte> bytes, bool micro)
    {
        var (seconds, nanos) = (0L, 0L);
        var reader = new ProtobufReader(bytes);
        while (reader.Next())
        {
            _ = reader.Field == 1 ? seconds = reader.Number : nanos = reader.Number;
        }

        if (seconds == 0)
        {
            return null;
        }

        var time = DateTimeOffset.FromUnixTimeSeconds(seconds).AddTicks(nanos / 100);
        return micro ? time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture) : ObjectAccess.Rfc3339(time);
    }

    private delegate string? ReadField(ProtobufReader field);
}

/// <summary>Reads the fields of a protobuf message one after the other.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> message)
{
    private ReadOnlySpan<byte> _rest = message;

    /// <summary>The number of the field that was read last.</summary>
    public int Field { get; private set; }

    /// <summary>Its value, when it is a number.</summary>
    public long Number { get; private set; }

    /// <summary>Its value, when it has a length.</summary>
    public ReadOnlySpan<byte> Bytes { get; private set; }

    public readonly string Text => Encoding.UTF8.GetString(Bytes);

    /// <summary>Goes to the next field; false at the end.</summary>
    /// <exception cref="FormatException">The message is cut off or has a wire type that Kubernetes does not use.</exception>
    public bool Next()
    {
        if (_rest.IsEmpty)
        {
            return false;
        }

        var tag = Varint();
        Field = (int)(tag >> 3);
        switch (tag & 7)
        {
            case 0:
                Number = (long)Varint();
                break;
            case 1:
                Number = BinaryPrimitives.ReadInt64LittleEndian(Take(8));
                break;
            case 2:
                var length = Varint();
                Bytes = Take(length <= int.MaxValue ? (int)length : int.MaxValue);
                break;
            case 5:
                Number = BinaryPrimitives.ReadInt32LittleEndian(Take(4));
                break;
            default:
                throw new FormatException("proto: illegal wireType");
        }

        return true;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            throw new FormatException("unexpected EOF");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var part = Take(1)[0];
            value |= (ulong)(part & 0x7F) << shift;
            if ((part & 0x80) == 0)
            {
                return value;
            }
        }

        throw new FormatException("proto: integer overflow");
    }
}
