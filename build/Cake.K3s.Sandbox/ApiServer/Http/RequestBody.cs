using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Protobuf;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>The bodies of requests: JSON, or YAML where a client may send that.</summary>
internal static class RequestBody
{
    /// <summary>What a real server takes at most.</summary>
    private const int Limit = 3 * 1024 * 1024;

    /// <exception cref="ApiException">It is too large.</exception>
    public static async Task<byte[]> ReadBytesAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (request.ContentLength > Limit)
        {
            throw TooLarge();
        }

        while (true)
        {
            var read = await request.BodyReader.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.Length > Limit)
            {
                throw TooLarge();
            }

            if (read.IsCompleted)
            {
                var bytes = read.Buffer.ToArray();
                request.BodyReader.AdvanceTo(read.Buffer.End);
                return bytes;
            }

            request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    /// <summary>Reads an object.</summary>
    /// <param name="bytes">The body.</param>
    /// <param name="contentType">Its type: JSON unless it says YAML.</param>
    /// <param name="duplicates">Gets the paths of fields that are there twice.</param>
    /// <exception cref="ApiException">It is not one.</exception>
    public static JsonObject ReadObject(byte[] bytes, string? contentType, List<string>? duplicates = null)
        => Read(bytes, contentType, duplicates) as JsonObject
            ?? throw ApiErrors.BadRequest("the object provided is unrecognized (must be of type Object): couldn't get version/kind; json parse error");

    /// <inheritdoc cref="ReadObject"/>
    public static JsonNode? Read(byte[] bytes, string? contentType, List<string>? duplicates = null)
    {
        try
        {
            if (ProtobufBody.IsProtobuf(bytes))
            {
                return ProtobufBody.Read(bytes);
            }

            var first = bytes.AsSpan().TrimStart(" \t\r\n"u8);
            var yaml = contentType is not null && contentType.Contains("yaml", StringComparison.OrdinalIgnoreCase);
            return yaml && (first.IsEmpty || first[0] is not ((byte)'{' or (byte)'[')) ? YamlBody.Read(bytes) : JsonBody.Read(bytes, duplicates);
        }
        catch (Exception exception) when (exception is JsonException or FormatException)
        {
            throw ApiErrors.BadRequest("error decoding the body: " + exception.Message);
        }
    }

    private static ApiException TooLarge()
        => new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {Limit}");
}
