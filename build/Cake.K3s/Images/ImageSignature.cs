using Cake.K3s.Images.Attestations;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>A signature over an image, in one of the forms that cosign knows.</summary>
internal abstract record ImageSignature
{
    /// <summary>The annotation that names the content key, in what is signed and among the image's labels.</summary>
    public const string ContentKeyAnnotation = "io.cake-k3s.content-key";

    /// <summary>The form.</summary>
    public abstract SignatureForm Form { get; }

    /// <summary>Registry and repository that the signer meant; null if it says none.</summary>
    public abstract string? Repository { get; }

    /// <summary>The last part of <see cref="Repository"/>, e.g. <c>api</c>.</summary>
    public string? Name => Repository?.Split('/')[^1];

    /// <summary>
    /// The content key that the signer made the image for; null if it says none. Whoever can write to the registry can let a
    /// key's tag name another signed image, but cannot change this.
    /// </summary>
    public abstract string? ContentKey { get; }

    /// <summary>Whether this is a signature by one of the keys over exactly this manifest.</summary>
    public abstract bool Verifies(Digest digest, params IEnumerable<PublicKey> keys);
}

/// <summary>A statement with nothing in it but what it is about, which is what cosign 3 makes of a signature.</summary>
/// <param name="Statement">The signed statement, of the type <see cref="Attestation.SignatureType"/>.</param>
internal sealed record BundleSignature(Attestation Statement) : ImageSignature
{
    /// <inheritdoc/>
    public override SignatureForm Form => SignatureForm.Bundle;

    /// <inheritdoc/>
    public override string? Repository => Statement.Subject?.Name;

    /// <inheritdoc/>
    public override string? ContentKey => Statement.Subject?.Annotations?.GetValueOrDefault(ContentKeyAnnotation);

    /// <inheritdoc/>
    public override bool Verifies(Digest digest, params IEnumerable<PublicKey> keys) =>
        Statement.Read(digest, keys) is (Attestation.SignatureType, _);
}
