using System.Text.Json;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;

namespace Cake.K3s.Images;

/// <summary>Signatures as a registry holds them: in cosign's <c>.sig</c> tag beside the image.</summary>
internal static class RegistrySignatures
{
    /// <summary>The signatures over a manifest that the registry has; none is not a failure.</summary>
    public static async Task<IReadOnlyList<ImageSignature>> ReadSignaturesAsync(this RegistryClient registry, string repository, Digest digest, CancellationToken cancellationToken)
    {
        if (await registry.FindManifestAsync(repository, ImageSignature.TagOf(digest), cancellationToken) is not { } found)
        {
            return [];
        }

        OciManifest manifest;
        try
        {
            manifest = found.Read();
        }
        catch (JsonException)
        {
            return [];
        }

        var signatures = new List<ImageSignature>();
        foreach (var (payload, signature) in ImageSignature.In(manifest))
        {
            if (await registry.FindBlobAsync(repository, payload, cancellationToken) is { } bytes)
            {
                signatures.Add(new(bytes, signature));
            }
        }

        return signatures;
    }

    /// <summary>Whether the registry has a signature by one of the keys over a manifest.</summary>
    public static async Task<bool> IsSignedAsync(this RegistryClient registry, string repository, Digest digest, IReadOnlyCollection<PublicKey> keys, CancellationToken cancellationToken) =>
        (await registry.ReadSignaturesAsync(repository, digest, cancellationToken)).Any(signature => signature.Verifies(digest, keys));

    /// <summary>Adds a signature to those that the registry has, under the tag where cosign looks for it.</summary>
    public static async Task PushSignatureAsync(this RegistryClient registry, string repository, Digest digest, ImageSignature signature, CancellationToken cancellationToken)
    {
        var others = await registry.ReadSignaturesAsync(repository, digest, cancellationToken);
        if (others.Any(other => other.Signature == signature.Signature && other.Payload.AsSpan().SequenceEqual(signature.Payload)))
        {
            return;
        }

        IReadOnlyCollection<ImageSignature> all = [.. others, signature];
        var (bytes, config) = ImageSignature.Document(all);
        foreach (var one in all)
        {
            await registry.PushBlobAsync(repository, OciDescriptor.Of(MediaTypes.SimpleSigning, one.Payload), one.Payload, cancellationToken);
        }

        await registry.PushBlobAsync(repository, OciDescriptor.Of(MediaTypes.Config, config), config, cancellationToken);

        // By digest first: Gitea deletes what a tag named before when the tag moves.
        await registry.PushManifestAsync(repository, Digest.Of(bytes.AsSpan()).ToString(), bytes, MediaTypes.Manifest, cancellationToken);
        await registry.PushManifestAsync(repository, ImageSignature.TagOf(digest), bytes, MediaTypes.Manifest, cancellationToken);
    }
}
