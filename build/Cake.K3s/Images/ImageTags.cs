using System.Collections.Immutable;
using Cake.K3s.Images.Registry;

namespace Cake.K3s.Images;

/// <summary>Puts tags on an image that is in a registry and signed: always the last step.</summary>
internal static class ImageTags
{
    /// <summary>
    /// Lets tags name an image. A tag stays with what it names already: that of another key's or commit's image is never taken
    /// away from it.
    /// </summary>
    /// <param name="registry">The registry.</param>
    /// <param name="repository">The image's repository.</param>
    /// <param name="digest">The image.</param>
    /// <param name="tags">The tag of its key, and others.</param>
    /// <param name="keys">The keys by which an image counts as signed.</param>
    /// <param name="rebuilt">The operator asked for another image than the one that has the key's tag.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The tags that name the image now, and for each of the others what it names instead.</returns>
    /// <exception cref="K3sException">The key's tag names another signed image, or the image is not there.</exception>
    public static async Task<(ImmutableArray<string> Named, ImmutableArray<string> Refused)> PushTagsAsync(
        this RegistryClient registry,
        ImageReference repository,
        Digest digest,
        ImmutableArray<string> tags,
        IReadOnlyList<PublicKey> keys,
        bool rebuilt,
        CancellationToken cancellationToken)
    {
        var refused = ImmutableArray.CreateBuilder<string>();
        var set = ImmutableArray.CreateBuilder<string>();
        RegistryManifest? manifest = null;
        foreach (var tag in tags)
        {
            var named = await registry.FindDigestAsync(repository.Repository, tag, cancellationToken);
            if (named is not null && named != digest)
            {
                if (!ContentKey.IsTag(tag))
                {
                    // The same commit on another base image, say. Nothing is deployed by this tag, so that is no reason to stop.
                    refused.Add($"{repository.Name}:{tag} names {named} already and stays with it");
                    continue;
                }

                // A key's tag is this pipeline's own index, and one that names an unsigned image is of no use to it.
                if (!rebuilt && await registry.IsSignedAsync(repository.Repository, named, keys, cancellationToken))
                {
                    throw new K3sException(
                        ExitCodes.Failed,
                        $"the tag {repository.Name}:{tag} names {named} already, not {digest}; tags are not moved",
                        "The same sources gave another image than before: pin what the build takes from outside. To put this one in its place run --target=Push --rebuild.");
                }
            }

            set.Add(tag);
            if (named == digest)
            {
                continue;
            }

            manifest ??= await registry.FindManifestAsync(repository.Repository, digest.ToString(), cancellationToken)
                ?? throw new K3sException(ExitCodes.Failed, $"{repository.Name}@{digest} is gone from the registry", "Run --target=Push again.");
            await registry.PushManifestAsync(repository.Repository, tag, manifest.Bytes, manifest.MediaType, cancellationToken);
        }

        return (set.ToImmutable(), refused.ToImmutable());
    }
}
