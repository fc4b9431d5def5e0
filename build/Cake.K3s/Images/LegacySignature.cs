using System.Collections.Immutable;
using Cake.K3s.Images.Oci;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>A payload and its signature.</summary>
/// <param name="Payload">What was signed: <see cref="SimpleSigning.Payload"/>.</param>
/// <param name="Signature">The signature in base64, as cosign writes it.</param>
internal sealed record LegacySignature(byte[] Payload, string Signature) : ImageSignature
{
    public const string SignatureAnnotation = "dev.cosignproject.cosign/signature";

    /// <inheritdoc/>
    public override SignatureForm Form => SignatureForm.Legacy;

    /// <inheritdoc/>
    public override string? Repository => SimpleSigning.TryRead(Payload)?.Critical.Identity.Reference;

    /// <inheritdoc/>
    public override string? ContentKey => SimpleSigning.TryRead(Payload)?.Annotation(ContentKeyAnnotation);

    /// <summary>The payload as cosign lists it, with the signature beside it.</summary>
    public OciDescriptor Descriptor => OciDescriptor.Of(MediaTypes.SimpleSigning, Payload) with
    {
        Annotations = ImmutableDictionary<string, string>.Empty.Add(SignatureAnnotation, Signature),
    };

    /// <summary>The tag under which cosign looks for the signatures of a manifest.</summary>
    public static string TagOf(Digest digest) => $"sha256-{digest.Hex}.sig";

    /// <inheritdoc/>
    public override bool Verifies(Digest digest, params IEnumerable<PublicKey> keys) =>
        SimpleSigning.TryRead(Payload)?.IsFor(digest) == true
        && TryDecode(Signature) is { } signature
        && keys.Any(key => key.Verifies(Payload, signature));

    private static byte[]? TryDecode(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) ? bytes[..length] : null;
    }
}
