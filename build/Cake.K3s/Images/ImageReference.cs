using System.Text.RegularExpressions;

namespace Cake.K3s.Images;

/// <summary>Names an image in a registry: <c>registry/repository[:tag][@digest]</c>.</summary>
/// <param name="Registry">Host and optional port; <c>docker.io</c> where the text names none.</param>
/// <param name="Repository">The path, e.g. <c>me/honeydue/api</c>; Docker Hub's official images have <c>library/</c> before their name.</param>
/// <param name="Tag">The tag, or null.</param>
/// <param name="Digest">The digest, or null.</param>
internal sealed partial record ImageReference(string Registry, string Repository, string? Tag = null, Digest? Digest = null)
{
    private const string DockerHub = "docker.io";

    /// <summary>Registry and repository, without tag and digest.</summary>
    public string Name => $"{Registry}/{Repository}";

    /// <summary>What a manifest is asked for by: the digest if there is one, else the tag, else <c>latest</c>.</summary>
    public string TagOrDigest => Digest?.ToString() ?? Tag ?? "latest";

    /// <summary>Reads a reference as Docker does (distribution/reference, normalize.go).</summary>
    /// <exception cref="FormatException">It is none; the message says why.</exception>
    public static ImageReference Parse(string text)
    {
        var rest = text;
        Digest? digest = null;
        if (rest.IndexOf('@') is var at and >= 0)
        {
            digest = Digest.Parse(rest[(at + 1)..]);
            rest = rest[..at];
        }

        string? tag = null;
        if (rest.LastIndexOf(':') is var colon and >= 0 && rest.IndexOf('/', colon) < 0)
        {
            tag = rest[(colon + 1)..];
            rest = rest[..colon];
            if (!TagPattern().IsMatch(tag))
            {
                throw new FormatException($"'{text}' is not an image reference: '{tag}' is not a tag");
            }
        }

        var (registry, repository) = Split(rest);
        return RepositoryPattern().IsMatch(repository)
            ? new(registry, repository, tag, digest)
            : throw new FormatException($"'{text}' is not an image reference: '{repository}' is not a repository (lower-case letters, digits, . _ - and /)");
    }

    /// <summary>Whether a text can be a tag (OCI distribution spec).</summary>
    public static bool IsTag(string text) => TagPattern().IsMatch(text);

    /// <inheritdoc/>
    public override string ToString() => Name + (Tag is null ? "" : ":" + Tag) + (Digest is null ? "" : "@" + Digest);

    private static (string Registry, string Repository) Split(string name)
    {
        var slash = name.IndexOf('/');
        var first = slash < 0 ? "" : name[..slash];
        if (slash < 0 || (!first.Contains('.') && !first.Contains(':') && first != "localhost"))
        {
            return (DockerHub, slash < 0 ? "library/" + name : name);
        }

        var repository = name[(slash + 1)..];
        return first is DockerHub or "index.docker.io"
            ? (DockerHub, repository.Contains('/') ? repository : "library/" + repository)
            : (first, repository);
    }

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$")]
    private static partial Regex TagPattern();

    [GeneratedRegex("^[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*$")]
    private static partial Regex RepositoryPattern();
}
