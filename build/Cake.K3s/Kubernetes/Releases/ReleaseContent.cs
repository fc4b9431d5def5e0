using System.Collections.Immutable;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Applying;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>The manifests of a release as bytes: packed, cut into parts that fit into one object each, and named by a hash.</summary>
internal static class ReleaseContent
{
    /// <summary>The API takes up to 1 MiB of data in a Secret; the rest is left for what else is in the object.</summary>
    public const int LargestPart = 900 * 1024;

    /// <summary>Names manifests by what is in them, whatever their order or the order of their members.</summary>
    public static string Hash(IEnumerable<JsonObject> manifests)
    {
        var hashes = string.Join('\n', manifests.Select(CanonicalJson.Hash).Order(StringComparer.Ordinal));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(hashes)));
    }

    /// <summary>Packs manifests into parts.</summary>
    public static ImmutableArray<byte[]> Pack(IEnumerable<JsonObject> manifests, int largestPart = LargestPart)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Optimal, leaveOpen: true))
        using (var writer = new Utf8JsonWriter(gzip))
        {
            writer.WriteStartArray();
            foreach (var manifest in manifests)
            {
                manifest.WriteTo(writer);
            }

            writer.WriteEndArray();
        }

        return [.. packed.ToArray().Chunk(largestPart)];
    }

    /// <summary>Unpacks all parts in their order.</summary>
    /// <exception cref="InvalidDataException">Parts are missing or damaged.</exception>
    public static ImmutableArray<JsonObject> Unpack(IEnumerable<byte[]> parts)
    {
        using var packed = new MemoryStream([.. parts.SelectMany(part => part)]);
        using var gzip = new GZipStream(packed, CompressionMode.Decompress);
        try
        {
            return [.. (JsonNode.Parse(gzip) as JsonArray ?? []).OfType<JsonObject>()];
        }
        catch (JsonException e)
        {
            throw new InvalidDataException("the manifests are damaged", e);
        }
    }
}
