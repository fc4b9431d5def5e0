using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Cake.K3s.Images.Pruning;

/// <summary>One image of a repository, with what belongs to it.</summary>
/// <param name="Digest">The image.</param>
/// <param name="Tags">Its tags.</param>
/// <param name="Companions">Signatures and attestations: their tags and digests.</param>
/// <param name="KeptBecause">Why it stays; null if it goes.</param>
internal sealed record PruneEntry(Digest Digest, ImmutableArray<string> Tags, ImmutableArray<(string Tag, Digest Digest)> Companions, string? KeptBecause);

/// <summary>Decides what of a repository goes: a pure function of its tags and of what is in use.</summary>
internal static partial class PrunePlan
{
    /// <summary>Whether an image may go by its tags alone.</summary>
    public static bool IsOwnTag(string tag) => OwnTag().IsMatch(tag);

    /// <summary>Makes the plan.</summary>
    /// <param name="tags">All tags of the repository and what they name.</param>
    /// <param name="used">What is in use, with what uses it.</param>
    public static ImmutableArray<PruneEntry> Of(IReadOnlyDictionary<string, Digest> tags, IReadOnlyDictionary<Digest, string> used)
    {
        var companions = tags.Where(tag => SubjectOf(tag.Key) is not null).ToLookup(tag => SubjectOf(tag.Key)!, tag => (Tag: tag.Key, Digest: tag.Value));
        var images = tags.Where(tag => SubjectOf(tag.Key) is null).ToLookup(tag => tag.Value, tag => tag.Key);

        // A signature's tag also names images that have no tag of their own.
        return [.. from digest in images.Select(image => image.Key).Union(companions.Select(subject => subject.Key))
                   let names = images[digest].Order(StringComparer.Ordinal).ToImmutableArray()
                   let foreign = names.FirstOrDefault(tag => !IsOwnTag(tag))
                   let reason = used.GetValueOrDefault(digest) ?? (foreign is null ? null : $"somebody has tagged it {foreign}")
                   orderby digest.Hex
                   select new PruneEntry(digest, names, [.. companions[digest].OrderBy(companion => companion.Tag, StringComparer.Ordinal)], reason)];
    }

    private static Digest? SubjectOf(string tag) =>
        CompanionTag().Match(tag) is { Success: true } match ? Digest.Parse("sha256:" + match.Groups["hex"].Value) : null;

    // What Push makes: by content and by commit, with an environment's name after it where that has arguments of its own.
    [GeneratedRegex("^(key-[0-9a-f]{32}|sha-[0-9a-f]{12}(-[a-z0-9-]+)?)$")]
    private static partial Regex OwnTag();

    [GeneratedRegex(@"^sha256-(?<hex>[0-9a-f]{64})(\.(sig|att|sbom))?$")]
    private static partial Regex CompanionTag();
}
