using System.Collections.Immutable;
using System.Text.Json;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;

namespace Cake.K3s.Images;

/// <summary>Signatures and attestations as a registry holds them: in cosign's <c>.sig</c> and <c>.att</c> tags beside the image.</summary>
internal static class RegistrySignatures
{
    /// <summary>The signatures over a manifest that the registry has; none is not a failure.</summary>
    public static async Task<IReadOnlyList<ImageSignature>> ReadSignaturesAsync(this RegistryClient registry, string repository, Digest digest, CancellationToken cancellationToken)
    {
        var signatures = new List<ImageSignature>();
        foreach (var layer in await registry.ReadLayersAsync(repository, ImageSignature.TagOf(digest), cancellationToken))
        {
            if (layer.MediaType == MediaTypes.SimpleSigning
                && SignatureOf(layer) is { } signature
                && await registry.FindBlobAsync(repository, layer, cancellationToken) is { } payload)
            {
                signatures.Add(new(payload, signature));
            }
        }

        return signatures;
    }

    /// <summary>Whether the registry has a signature by one of the keys over a manifest.</summary>
    public static async Task<bool> IsSignedAsync(this RegistryClient registry, string repository, Digest digest, IReadOnlyCollection<PublicKey> keys, CancellationToken cancellationToken) =>
        (await registry.ReadSignaturesAsync(repository, digest, cancellationToken)).Any(signature => signature.Verifies(digest, keys));

    /// <summary>Adds a signature to those that the registry has, under the tag where cosign looks for it.</summary>
    public static Task PushSignatureAsync(this RegistryClient registry, string repository, Digest digest, ImageSignature signature, CancellationToken cancellationToken) =>
        registry.AddAsync(repository, ImageSignature.TagOf(digest), signature.Descriptor, signature.Payload, _ => true, cancellationToken);

    /// <summary>The attestations about a manifest that the registry has; none is not a failure.</summary>
    public static async Task<IReadOnlyList<Attestation>> ReadAttestationsAsync(this RegistryClient registry, string repository, Digest digest, CancellationToken cancellationToken)
    {
        var attestations = new List<Attestation>();
        foreach (var layer in await registry.ReadLayersAsync(repository, Attestation.TagOf(digest), cancellationToken))
        {
            if (layer.MediaType == MediaTypes.Dsse && await registry.FindBlobAsync(repository, layer, cancellationToken) is { } envelope)
            {
                attestations.Add(new(envelope));
            }
        }

        return attestations;
    }

    /// <summary>Adds an attestation, in place of one of the same kind, under the tag where cosign looks for it.</summary>
    public static Task PushAttestationAsync(
        this RegistryClient registry,
        string repository,
        Digest digest,
        string predicateType,
        Attestation attestation,
        CancellationToken cancellationToken)
    {
        const string TypeAnnotation = "predicateType";
        var descriptor = OciDescriptor.Of(MediaTypes.Dsse, attestation.Envelope) with
        {
            // The signature is in the envelope; cosign demands the annotation all the same.
            Annotations = ImmutableDictionary<string, string>.Empty.Add(ImageSignature.SignatureAnnotation, "").Add(TypeAnnotation, predicateType),
        };
        return registry.AddAsync(
            repository,
            Attestation.TagOf(digest),
            descriptor,
            attestation.Envelope,
            other => other.Annotations?.GetValueOrDefault(TypeAnnotation) != predicateType,
            cancellationToken);
    }

    private static async Task<ImmutableArray<OciDescriptor>> ReadLayersAsync(this RegistryClient registry, string repository, string tag, CancellationToken cancellationToken)
    {
        try
        {
            return (await registry.FindManifestAsync(repository, tag, cancellationToken))?.Read().Layers ?? [];
        }
        catch (JsonException)
        {
            // Not of cosign: as good as none.
            return [];
        }
    }

    private static async Task AddAsync(
        this RegistryClient registry,
        string repository,
        string tag,
        OciDescriptor added,
        byte[] content,
        Func<OciDescriptor, bool> stays,
        CancellationToken cancellationToken)
    {
        var before = await registry.ReadLayersAsync(repository, tag, cancellationToken);
        if (before.Any(layer => layer.Digest == added.Digest && SignatureOf(layer) == SignatureOf(added)))
        {
            return;
        }

        var (bytes, config) = CosignDocument.Of([.. before.Where(stays), added]);
        await registry.PushBlobAsync(repository, added, content, cancellationToken);
        await registry.PushBlobAsync(repository, OciDescriptor.Of(MediaTypes.Config, config), config, cancellationToken);

        // By digest first: Gitea deletes what a tag named before when the tag moves.
        await registry.PushManifestAsync(repository, Digest.Of(bytes.AsSpan()).ToString(), bytes, MediaTypes.Manifest, cancellationToken);
        await registry.PushManifestAsync(repository, tag, bytes, MediaTypes.Manifest, cancellationToken);
    }

    private static string? SignatureOf(OciDescriptor layer) => layer.Annotations?.GetValueOrDefault(ImageSignature.SignatureAnnotation);
}
