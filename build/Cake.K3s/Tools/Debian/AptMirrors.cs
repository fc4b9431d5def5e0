using System.Collections.Immutable;

namespace Cake.K3s.Tools.Debian;

/// <summary>One archive that the host's apt is configured with.</summary>
/// <param name="Uri">Its address, as apt writes it.</param>
/// <param name="Suite">Its suite, e.g. <c>bookworm-security</c>.</param>
/// <param name="Component">Its component, e.g. <c>main</c>.</param>
internal sealed record AptArchive(string Uri, string Suite, string Component)
{
    /// <summary>What <c>apt-get indextargets</c> prints for one archive, to be read by <see cref="ParseAll"/>.</summary>
    public const string Format = "$(REPO_URI)|$(RELEASE)|$(COMPONENT)";

    /// <summary>Reads the lines that <see cref="Format"/> makes.</summary>
    public static ImmutableArray<AptArchive> ParseAll(string lines) =>
    [
        .. lines.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('|'))
            .Where(parts => parts.Length == 3)
            .Select(parts => new AptArchive(parts[0], parts[1], parts[2]))
            .Distinct(),
    ];
}

/// <summary>Finds the distribution's own mirror among the archives of a host, and writes it down for apt.</summary>
internal static class AptMirrors
{
    private static readonly ImmutableArray<string> Pockets = ["", "-updates", "-security"];

    // Ubuntu keeps most of what is needed here in universe.
    private static readonly ImmutableArray<string> Components = ["main", "universe"];

    /// <summary>A source file in the deb822 format for a release, or null if the host has no mirror of its distribution.</summary>
    /// <param name="archives">The host's archives.</param>
    /// <param name="host">The host.</param>
    /// <param name="codename">The wanted release, which need not be the host's.</param>
    /// <param name="keyring">The distribution's keyring; null leaves the choice of keys to apt.</param>
    /// <param name="architecture">The only architecture to ask for.</param>
    public static string? SourcesOf(
        IReadOnlyCollection<AptArchive> archives,
        DebianHost host,
        string codename,
        string? keyring,
        string architecture)
    {
        var own = archives
            .Where(archive => Components.Contains(archive.Component) && Pockets.Any(pocket => archive.Suite == host.Codename + pocket))
            .ToList();

        // Others' archives are often named after the release too, but only the distribution's have these pockets.
        var distribution = own.Where(archive => own.Any(other => other.Uri == archive.Uri && other.Suite != host.Codename)).ToList();
        var chosen = distribution.Any(archive => archive.Suite == host.Codename) ? distribution : [.. own.Take(1), .. distribution];
        return chosen.Count == 0
            ? null
            : string.Join('\n', chosen.Where(archive => codename != DebianHost.Unstable || archive.Suite == host.Codename).GroupBy(archive => (archive.Uri, archive.Suite)).Select(group => $"""
                Types: deb
                URIs: {group.Key.Uri}
                Suites: {codename}{group.Key.Suite[host.Codename.Length..]}
                Components: {string.Join(' ', group.Select(archive => archive.Component))}
                Architectures: {architecture}
                Targets: Packages
                {(keyring is null ? "" : $"Signed-By: {keyring}\n")}
                """));
    }
}
