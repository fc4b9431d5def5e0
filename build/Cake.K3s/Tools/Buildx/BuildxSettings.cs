using System.Collections.Immutable;

namespace Cake.K3s.Tools.Buildx;

/// <summary>What <c>buildx build</c> is asked to do; named like its flags.</summary>
internal sealed record BuildxSettings
{
    /// <summary>Absolute path of the context.</summary>
    public required string Context { get; init; }

    /// <summary>Absolute path of the Dockerfile.</summary>
    public required string File { get; init; }

    /// <summary>The OCI archive to write; absolute path.</summary>
    public required string Archive { get; init; }

    /// <summary>The file that the digest is written to; absolute path.</summary>
    public required string MetadataFile { get; init; }

    /// <summary>The one platform that is built for.</summary>
    public required string Platform { get; init; }

    /// <summary>The builder; null for the default one.</summary>
    public string? Builder { get; init; }

    /// <summary>The stage to stop at; null for the last.</summary>
    public string? Target { get; init; }

    /// <summary>Build arguments.</summary>
    public ImmutableSortedDictionary<string, string> BuildArguments { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Base images by the name that the Dockerfile gives them, pinned: <c>debian:13</c> to <c>debian@sha256:…</c>.</summary>
    public ImmutableSortedDictionary<string, string> PinnedBases { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Labels.</summary>
    public ImmutableSortedDictionary<string, string> Labels { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>Build secrets: the id that a Dockerfile's <c>RUN --mount=type=secret</c> names, to the environment variable that holds it.</summary>
    public ImmutableSortedDictionary<string, string> Secrets { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The repository and tag of the build cache; null for none.</summary>
    public string? Cache { get; init; }
}
