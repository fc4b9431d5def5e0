using System.Collections.Immutable;

namespace Cake.K3s.Sandbox.BaseImages;

/// <summary>A base image that the sandbox can make from Debian packages. Data only, but for the tree that it puts together.</summary>
internal sealed record BaseImage
{
    /// <summary>The name: <c>sandbox://NAME</c> in deploy.yaml.</summary>
    public required string Name { get; init; }

    /// <summary>What tells one making of it from another, e.g. the version of a runtime that is copied from this machine.</summary>
    public required string Recipe { get; init; }

    /// <summary>The Debian packages whose files it holds, with what they depend on.</summary>
    public required ImmutableArray<string> Packages { get; init; }

    /// <summary>Whether a package, found among those and what they depend on, is needed in the image.</summary>
    public required Func<string, bool> Keeps { get; init; }

    /// <summary>The user that its processes run as: name and number.</summary>
    public required (string Name, int Id) User { get; init; }

    /// <summary>Environment variables, <c>NAME=value</c>.</summary>
    public ImmutableArray<string> Variables { get; init; } = [];

    /// <summary>The command of a container that names none.</summary>
    public ImmutableArray<string> Entrypoint { get; init; } = [];

    /// <summary>Directories that the user may write to.</summary>
    public ImmutableArray<string> OwnDirectories { get; init; } = [];

    /// <summary>Adds what comes from elsewhere than from packages; a layer of its own, or null for none.</summary>
    public Action<ImageTree>? AddRuntime { get; init; }
}
