using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text.Json;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.Images;

/// <summary>A payload and its signature.</summary>
/// <param name="Payload">What was signed: <see cref="SimpleSigning.Payload"/>.</param>
/// <param name="Signature">The signature in base64, as cosign writes it.</param>
internal sealed record ImageSignature(byte[] Payload, string Signature)
{
    private const string SignatureAnnotation = "dev.cosignproject.cosign/signature";

    /// <summary>The last part of the repository that the signer meant, e.g. <c>api</c>; null if the payload is none.</summary>
    public string? Name => SimpleSigning.TryRead(Payload)?.Critical.Identity.Reference.Split('/')[^1];

    /// <summary>The tag under which cosign looks for the signatures of a manifest.</summary>
    public static string TagOf(Digest digest) => $"sha256-{digest.Hex}.sig";

    /// <summary>Whether this is a signature by one of the keys over exactly this manifest.</summary>
    public bool Verifies(Digest digest, params IEnumerable<PublicKey> keys) =>
        SimpleSigning.TryRead(Payload)?.IsFor(digest) == true
        && TryDecode(Signature) is { } signature
        && keys.Any(key => key.Verifies(Payload, signature));

    /// <summary>The signatures that a manifest lists, without their payloads.</summary>
    public static IEnumerable<(OciDescriptor Payload, string Signature)> In(OciManifest manifest) =>
        from layer in manifest.Layers
        where layer.MediaType == MediaTypes.SimpleSigning
        let signature = layer.Annotations?.GetValueOrDefault(SignatureAnnotation)
        where signature is not null
        select (layer, signature);

    /// <summary>What cosign itself would push: a manifest that lists the payloads, and its configuration.</summary>
    public static (ImmutableArray<byte> Manifest, byte[] Config) Document(IReadOnlyCollection<ImageSignature> signatures)
    {
        var layers = signatures
            .Select(signature => OciDescriptor.Of(MediaTypes.SimpleSigning, signature.Payload) with
            {
                Annotations = ImmutableDictionary<string, string>.Empty.Add(SignatureAnnotation, signature.Signature),
            })
            .ToImmutableArray();
        var diffs = string.Join(",", layers.Select(layer => $"\"{layer.Digest}\""));
        var config = System.Text.Encoding.UTF8.GetBytes(
            $$$"""{"architecture":"","created":"0001-01-01T00:00:00Z","history":[{{{string.Join(",", layers.Select(_ => "{\"created\":\"0001-01-01T00:00:00Z\"}"))}}}],"os":"","rootfs":{"type":"layers","diff_ids":[{{{diffs}}}]},"config":{}}""");
        var manifest = new OciManifest { Config = OciDescriptor.Of(MediaTypes.Config, config), Layers = layers };
        return (ImmutableCollectionsMarshal.AsImmutableArray(JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Default.OciManifest)), config);
    }

    private static byte[]? TryDecode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
