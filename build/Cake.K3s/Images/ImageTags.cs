using System.Collections.Immutable;
using Cake.K3s.Images.Registry;

namespace Cake.K3s.Images;

/// <summary>Puts tags on an image that is in a registry and signed: always the last step.</summary>
internal static class ImageTags
{
    /// <summary>Lets tags name an image.</summary>
    /// <exception cref="K3sException">A tag names another image already, or the image is not there.</exception>
    public static async Task PushTagsAsync(
        this RegistryClient registry,
        ImageReference repository,
        Digest digest,
        ImmutableArray<string> tags,
        IReadOnlyList<PublicKey> keys,
        CancellationToken cancellationToken)
    {
        RegistryManifest? manifest = null;
        foreach (var tag in tags)
        {
            var named = await registry.FindDigestAsync(repository.Repository, tag, cancellationToken);
            if (named == digest)
            {
                continue;
            }

            // A key's tag is this pipeline's own index, and one that names an unsigned image is of no use to it.
            // Every other tag stays with what it names for ever.
            if (named is not null && (!ContentKey.IsTag(tag) || await registry.IsSignedAsync(repository.Repository, named, keys, cancellationToken)))
            {
                throw new K3sException(
                    ExitCodes.Failed,
                    $"the tag {repository.Name}:{tag} names {named} already, not {digest}; tags are not moved",
                    "The same sources gave another image than before: pin what the build takes from outside, or commit. Deleting the tag in the registry lets this one take it.");
            }

            manifest ??= await registry.FindManifestAsync(repository.Repository, digest.ToString(), cancellationToken)
                ?? throw new K3sException(ExitCodes.Failed, $"{repository.Name}@{digest} is gone from the registry", "Run --target=Push again.");
            await registry.PushManifestAsync(repository.Repository, tag, manifest.Bytes, manifest.MediaType, cancellationToken);
        }
    }
}
