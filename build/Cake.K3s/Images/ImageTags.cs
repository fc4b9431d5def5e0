using System.Collections.Immutable;
using Cake.K3s.Images.Registry;

namespace Cake.K3s.Images;

/// <summary>What an image's tags may name.</summary>
internal enum TagMoves
{
    /// <summary>A tag stays with the image that it names.</summary>
    None,

    /// <summary>The tag of the content key may be taken from the image that had it: that is what a rebuild is for.</summary>
    Key,

    /// <summary>Every tag may.</summary>
    All,
}

/// <summary>Puts tags on an image that is in a registry and signed: always the last step.</summary>
internal static class ImageTags
{
    /// <summary>Makes sure that tags may name an image: that none of them names another one.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="repository">The image's repository.</param>
    /// <param name="digest">The image.</param>
    /// <param name="tags">The tag of its key, and others.</param>
    /// <param name="keys">The keys by which an image counts as signed.</param>
    /// <param name="moves">Which may be moved all the same.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <returns>The tags that do not name it yet.</returns>
    /// <exception cref="K3sException">One names another image; the message says which.</exception>
    public static async Task<ImmutableArray<string>> CheckTagsAsync(
        this RegistryClient registry,
        ImageReference repository,
        Digest digest,
        ImmutableArray<string> tags,
        IReadOnlyList<PublicKey> keys,
        TagMoves moves,
        CancellationToken cancellationToken)
    {
        var missing = ImmutableArray.CreateBuilder<string>();
        foreach (var tag in tags)
        {
            var named = await registry.FindDigestAsync(repository.Repository, tag, cancellationToken);
            if (named == digest)
            {
                continue;
            }

            if (named is not null && moves != TagMoves.All)
            {
                await RefuseAsync(registry, repository, tag, named, digest, keys, moves, cancellationToken);
            }

            missing.Add(tag);
        }

        return missing.ToImmutable();
    }

    /// <summary>Lets tags name an image; see <see cref="CheckTagsAsync"/>.</summary>
    /// <exception cref="K3sException">One names another image, or the image is not there.</exception>
    public static async Task PushTagsAsync(
        this RegistryClient registry,
        ImageReference repository,
        Digest digest,
        ImmutableArray<string> tags,
        IReadOnlyList<PublicKey> keys,
        TagMoves moves,
        CancellationToken cancellationToken)
    {
        var missing = await registry.CheckTagsAsync(repository, digest, tags, keys, moves, cancellationToken);
        if (missing.IsEmpty)
        {
            return;
        }

        var manifest = await registry.FindManifestAsync(repository.Repository, digest.ToString(), cancellationToken)
            ?? throw new K3sException(ExitCodes.Failed, $"{repository.Name}@{digest} is gone from the registry", "Run --target=Push again.");
        foreach (var tag in missing)
        {
            await registry.PushManifestAsync(repository.Repository, tag, manifest.Bytes, manifest.MediaType, cancellationToken);
        }
    }

    private static async Task RefuseAsync(
        RegistryClient registry,
        ImageReference repository,
        string tag,
        Digest named,
        Digest digest,
        IReadOnlyList<PublicKey> keys,
        TagMoves moves,
        CancellationToken cancellationToken)
    {
        var refusal = $"the tag {repository.Name}:{tag} names {named} already, not {digest}; tags are not moved";
        if (!ContentKey.IsTag(tag))
        {
            throw new K3sException(
                ExitCodes.Failed,
                refusal,
                "The same commit gave another image than before: files that git ignores are part of the build context (.dockerignore), or the build takes "
                + "something from outside that is not pinned. To move the tag all the same run --target=Push --force-tag.");
        }

        // A key's tag is this pipeline's own index: one that names an image without a signature for that key is of no use to it.
        var signatures = await registry.ReadSignaturesAsync(repository.Repository, named, cancellationToken);
        if (moves == TagMoves.None && signatures.Any(signature => signature.Verifies(named, keys) && ContentKey.TagOf(signature.ContentKey ?? "") == tag))
        {
            throw new K3sException(
                ExitCodes.Failed,
                refusal,
                "The same sources gave another image than before: pin what the build takes from outside. To put this one in its place run --target=Push --rebuild.");
        }
    }
}
