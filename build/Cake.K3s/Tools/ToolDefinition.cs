using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tools;

/// <summary>Where one tool can come from and how it is run. Data only.</summary>
internal sealed record ToolDefinition
{
    /// <summary>Which tool.</summary>
    public required ToolName Name { get; init; }

    /// <summary>The tool's name for people and for its folder under <c>.tools/</c>.</summary>
    public required string Title { get; init; }

    /// <summary>The names that its program goes by on PATH.</summary>
    public required ImmutableArray<string> Programs { get; init; }

    /// <summary>Directories beside PATH where it is commonly installed; <c>~</c> is the home directory, a <c>*</c> any name.</summary>
    public ImmutableArray<string> Places { get; init; } = [];

    /// <summary>How its version is found out.</summary>
    public required VersionProbe Probe { get; init; }

    /// <summary>Programs without which one that is found is of no use; each on PATH or beside it.</summary>
    public ImmutableArray<string> Companions { get; init; } = [];

    /// <summary>The Debian packages that it can be unpacked from; empty where there are none.</summary>
    public ImmutableArray<DebianPart> Debian { get; init; } = [];

    /// <summary>The program in the unpacked packages; a <c>*</c> stands for any name.</summary>
    public string? DebianProgram { get; init; }

    /// <summary>Links to make in the unpacked packages, which their maintainer scripts would have made: link to target.</summary>
    public ImmutableDictionary<string, string> DebianLinks { get; init; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>What to leave out of the unpacked packages; a <c>*</c> stands for any name.</summary>
    public ImmutableArray<string> DebianLeftOut { get; init; } = [];

    /// <summary>Whether what was unpacked is run with its own programs and libraries ahead of the host's.</summary>
    public bool DebianIsBundle { get; init; }

    /// <summary>Downloads for other systems, with their checksums; may be empty.</summary>
    public ImmutableArray<PinnedRelease> Releases { get; init; } = [];

    /// <summary>Where an operator gets it from, as a sentence.</summary>
    public required string Advice { get; init; }

    /// <summary>Tells apart what was unpacked by another version of this definition.</summary>
    public string Recipe
    {
        get
        {
            var text = string.Join('\n', [
                .. Debian.Select(part => $"{part.Release} {part.WithLibraries} {string.Join(' ', part.Packages)}"),
                .. DebianLinks.OrderBy(link => link.Key, StringComparer.Ordinal).Select(link => $"{link.Key} {link.Value}"),
                .. DebianLeftOut,
            ]);
            return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..8];
        }
    }
}

/// <summary>Packages of one release that a tool is unpacked from.</summary>
/// <param name="Release">The release.</param>
/// <param name="Packages">
/// The packages' names; a <c>*</c> stands for any letters, so that one can be named whose number the release decides. The first
/// one's version is the tool's.
/// </param>
/// <param name="WithLibraries">Adds the shared libraries that they depend on, but for libc, which is the host's.</param>
internal sealed record DebianPart(DebianRelease Release, ImmutableArray<string> Packages, bool WithLibraries = false);

/// <summary>A program that its makers publish for one system.</summary>
/// <param name="System">The system, as .NET names it, e.g. <c>osx-arm64</c>.</param>
/// <param name="Version">The version.</param>
/// <param name="Address">The download: the program itself.</param>
/// <param name="Sha256">Its SHA-256, as hexadecimal digits.</param>
internal sealed record PinnedRelease(string System, string Version, Uri Address, string Sha256);
