using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cake.K3s.Images;

/// <summary>
/// What an image signature is over: a small document that names the repository and the manifest's digest (Red Hat's "simple
/// signing", cosign specs/SIGNATURE_SPEC.md). Written here, so that an image can be signed before any registry has it.
/// </summary>
/// <param name="Critical">What a verifier must understand.</param>
/// <param name="Optional">Annotations; <c>null</c> in what cosign writes without any.</param>
internal sealed record SimpleSigning(
    [property: JsonPropertyName("critical")] SimpleSigningCritical Critical,
    [property: JsonPropertyName("optional")] JsonElement? Optional)
{
    private const string ContainerSignature = "cosign container image signature";

    /// <summary>The payload to sign.</summary>
    /// <param name="repository">Registry and repository, without tag and digest.</param>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="annotations">What else is signed, by name; null for nothing.</param>
    public static byte[] Payload(string repository, Digest digest, IReadOnlyDictionary<string, string>? annotations = null) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new(
                new(new(repository), new(digest.ToString()), ContainerSignature),
                annotations is null ? null : JsonSerializer.SerializeToElement(annotations, SimpleSigningJson.Default.IReadOnlyDictionaryStringString)),
            SimpleSigningJson.Default.SimpleSigning);

    /// <summary>Reads a payload.</summary>
    /// <returns>Null if it is none.</returns>
    public static SimpleSigning? TryRead(ReadOnlySpan<byte> payload)
    {
        try
        {
            return JsonSerializer.Deserialize(payload, SimpleSigningJson.Default.SimpleSigning) is { Critical: { Type: ContainerSignature, Image: not null, Identity: not null } } read
                ? read
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>An annotation; null if there is no such one.</summary>
    public string? Annotation(string name) =>
        Optional is { ValueKind: JsonValueKind.Object } all && all.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;

    /// <summary>Whether the payload speaks for this manifest.</summary>
    public bool IsFor(Digest digest) => Critical.Image.ManifestDigest == digest.ToString();
}

/// <summary>The part of a payload that a verifier must understand.</summary>
internal sealed record SimpleSigningCritical(
    [property: JsonPropertyName("identity")] SimpleSigningIdentity Identity,
    [property: JsonPropertyName("image")] SimpleSigningImage Image,
    [property: JsonPropertyName("type")] string Type);

/// <summary>The repository that the signer meant.</summary>
internal sealed record SimpleSigningIdentity([property: JsonPropertyName("docker-reference")] string Reference);

/// <summary>The manifest that was signed.</summary>
internal sealed record SimpleSigningImage([property: JsonPropertyName("docker-manifest-digest")] string ManifestDigest);

/// <summary>Reads and writes payloads.</summary>
[JsonSerializable(typeof(SimpleSigning))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
internal sealed partial class SimpleSigningJson : JsonSerializerContext;
