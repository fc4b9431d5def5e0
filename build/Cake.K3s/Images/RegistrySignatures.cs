using System.Collections.Immutable;
using System.Text.Json;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>
/// Signatures and attestations as a registry holds them: in cosign's <c>.sig</c> and <c>.att</c> tags beside the image, or as
/// bundles that refer to it.
/// </summary>
internal static class RegistrySignatures
{
    private const string PredicateTypeAnnotation = "dev.sigstore.bundle.predicateType";

    /// <summary>The signatures over a manifest that the registry has, in one form; none is not a failure.</summary>
    public static async Task<IReadOnlyList<ImageSignature>> ReadSignaturesAsync(this RegistryClient registry, string repository, Digest digest, CancellationToken cancellationToken)
    {
        var signatures = new List<ImageSignature>();
        foreach (var layer in await registry.ReadLayersAsync(repository, LegacySignature.TagOf(digest), cancellationToken))
        {
            if (layer.MediaType == MediaTypes.SimpleSigning
                && SignatureOf(layer) is { } signature
                && await registry.FindBlobAsync(repository, layer, cancellationToken) is { } payload)
            {
                signatures.Add(new LegacySignature(payload, signature));
            }
        }

        return signatures.Count > 0
            ? signatures
            : [.. (await registry.ReadBundlesAsync(repository, digest, type => type == Attestation.SignatureType, cancellationToken)).Select(statement => new BundleSignature(statement))];
    }

    /// <summary>Whether the registry has a signature by one of the keys over a manifest.</summary>
    public static async Task<bool> IsSignedAsync(this RegistryClient registry, string repository, Digest digest, IReadOnlyCollection<PublicKey> keys, CancellationToken cancellationToken) =>
        (await registry.ReadSignaturesAsync(repository, digest, cancellationToken)).Any(signature => signature.Verifies(digest, keys));

    /// <summary>Adds a signature to those that the registry has, where cosign looks for it.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="repository">The image's repository.</param>
    /// <param name="digest">The image.</param>
    /// <param name="signature">The signature.</param>
    /// <param name="signer">The public half of the key that made it.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static Task PushSignatureAsync(
        this RegistryClient registry,
        string repository,
        Digest digest,
        ImageSignature signature,
        PublicKey signer,
        CancellationToken cancellationToken) => signature switch
        {
            LegacySignature legacy => registry.AddAsync(repository, LegacySignature.TagOf(digest), legacy.Descriptor, legacy.Payload, _ => true, cancellationToken),
            BundleSignature bundle => registry.AddBundleAsync(repository, digest, Attestation.SignatureType, bundle.Statement, signer, cancellationToken),
            _ => throw new ArgumentOutOfRangeException(nameof(signature)),
        };

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

        return attestations.Count > 0
            ? attestations
            : await registry.ReadBundlesAsync(repository, digest, type => type != Attestation.SignatureType, cancellationToken);
    }

    /// <summary>Adds an attestation, in place of one of the same kind where that can be taken away, where cosign looks for it.</summary>
    public static Task PushAttestationAsync(
        this RegistryClient registry,
        string repository,
        Digest digest,
        string predicateType,
        Attestation attestation,
        SignatureForm form,
        PublicKey signer,
        CancellationToken cancellationToken)
    {
        if (form == SignatureForm.Bundle)
        {
            return registry.AddBundleAsync(repository, digest, predicateType, attestation, signer, cancellationToken);
        }

        const string TypeAnnotation = "predicateType";
        var descriptor = OciDescriptor.Of(MediaTypes.Dsse, attestation.Envelope) with
        {
            // The signature is in the envelope; cosign demands the annotation all the same.
            Annotations = ImmutableDictionary<string, string>.Empty.Add(LegacySignature.SignatureAnnotation, "").Add(TypeAnnotation, predicateType),
        };
        return registry.AddAsync(
            repository,
            Attestation.TagOf(digest),
            descriptor,
            attestation.Envelope,
            other => other.Annotations?.GetValueOrDefault(TypeAnnotation) != predicateType,
            cancellationToken);
    }

    private static async Task<IReadOnlyList<Attestation>> ReadBundlesAsync(
        this RegistryClient registry,
        string repository,
        Digest digest,
        Func<string?, bool> wanted,
        CancellationToken cancellationToken)
    {
        var statements = new List<Attestation>();
        foreach (var descriptor in (await registry.ReferrersAsync(repository, digest, cancellationToken)).Manifests)
        {
            // cosign before 3.1.3 lists bundles without saying what they are, so each has to be opened.
            if (await registry.FindBundleAsync(repository, descriptor, cancellationToken) is var (manifest, bundle)
                && wanted(manifest.Annotations?.GetValueOrDefault(PredicateTypeAnnotation))
                && await registry.FindBlobAsync(repository, bundle, cancellationToken) is { } bytes
                && SigstoreBundle.TryRead(bytes) is { } statement)
            {
                statements.Add(statement);
            }
        }

        return statements;
    }

    private static async Task<(OciManifest Manifest, OciDescriptor Bundle)?> FindBundleAsync(this RegistryClient registry, string repository, OciDescriptor descriptor, CancellationToken cancellationToken)
    {
        if (await registry.FindManifestAsync(repository, descriptor.Digest.ToString(), cancellationToken) is not { } found || MediaTypes.IsIndex(found.MediaType))
        {
            return null;
        }

        try
        {
            var manifest = found.Read();
            return manifest.Layers is [{ MediaType: SigstoreBundle.MediaType } bundle] ? (manifest, bundle) : null;
        }
        catch (JsonException)
        {
            // Somebody else's.
            return null;
        }
    }

    private static async Task AddBundleAsync(
        this RegistryClient registry,
        string repository,
        Digest digest,
        string predicateType,
        Attestation statement,
        PublicKey signer,
        CancellationToken cancellationToken)
    {
        const string NoConfigType = "application/vnd.oci.empty.v1+json";
        var subject = await registry.FindManifestAsync(repository, digest.ToString(), cancellationToken)
            ?? throw new K3sException(ExitCodes.Failed, $"{repository}@{digest} is gone from the registry {registry.Host}", "Run --target=Push again.");
        var bundle = SigstoreBundle.Of(statement, signer);
        var noConfig = "{}"u8.ToArray();
        var manifest = new OciManifest
        {
            ArtifactType = SigstoreBundle.MediaType,
            Config = OciDescriptor.Of(NoConfigType, noConfig),
            Layers = [OciDescriptor.Of(SigstoreBundle.MediaType, bundle)],
            Subject = new() { MediaType = subject.MediaType, Digest = digest, Size = subject.Bytes.Length },
            Annotations = ImmutableDictionary<string, string>.Empty.Add("dev.sigstore.bundle.content", "dsse-envelope").Add(PredicateTypeAnnotation, predicateType),
        };
        ImmutableArray<byte> bytes = [.. JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Default.OciManifest)];
        var descriptor = OciDescriptor.Of(MediaTypes.Manifest, bytes.AsSpan()) with { ArtifactType = SigstoreBundle.MediaType, Annotations = manifest.Annotations };
        var before = await registry.ReferrersAsync(repository, digest, cancellationToken);
        if (before.Manifests.Any(other => other.Digest == descriptor.Digest))
        {
            return;
        }

        await registry.PushBlobAsync(repository, manifest.Layers[0], bundle, cancellationToken);
        await registry.PushBlobAsync(repository, manifest.Config, noConfig, cancellationToken);
        if (await registry.PushManifestAsync(repository, descriptor.Digest.ToString(), bytes, MediaTypes.Manifest, cancellationToken))
        {
            return;
        }

        // The registry keeps no list itself: the fallback tag does. By digest first: Gitea deletes what a tag named before when the tag moves.
        var others = before.Manifests.Where(other => predicateType == Attestation.SignatureType || other.Annotations?.GetValueOrDefault(PredicateTypeAnnotation) != predicateType);
        ImmutableArray<byte> index = [.. JsonSerializer.SerializeToUtf8Bytes(new OciIndex { Manifests = [.. others, descriptor] }, OciJson.Default.OciIndex)];
        await registry.PushManifestAsync(repository, Digest.Of(index.AsSpan()).ToString(), index, MediaTypes.Index, cancellationToken);
        await registry.PushManifestAsync(repository, RegistryClient.FallbackTagOf(digest), index, MediaTypes.Index, cancellationToken);
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

    private static string? SignatureOf(OciDescriptor layer) => layer.Annotations?.GetValueOrDefault(LegacySignature.SignatureAnnotation);
}
