using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Cake.K3s.Reporting;

namespace Cake.K3s.Tools;

/// <summary>Tools that their makers publish as one file, checked against a pinned checksum.</summary>
internal sealed class ReleaseTools(HttpClient http, ContentStore store, IReporter reporter)
{
    /// <summary>The tool as it was downloaded by an earlier run, or null.</summary>
    public Tool? Find(ToolDefinition definition) =>
        ForThisSystem(definition) is { } release && store.Find(definition.Title, RecipeOf(release)) is { } folder
            ? ToolIn(folder, definition, ".tools")
            : null;

    /// <summary>The release for this system, or null.</summary>
    public static PinnedRelease? ForThisSystem(ToolDefinition definition) =>
        definition.Releases.FirstOrDefault(release => release.System == RuntimeInformation.RuntimeIdentifier);

    /// <summary>Fetches the tool.</summary>
    public async Task<Tool> FetchAsync(ToolDefinition definition, PinnedRelease release, CancellationToken cancellationToken)
    {
        var folder = await store.EnsureAsync(
            definition.Title,
            RecipeOf(release),
            directory => DownloadAsync(definition, release, directory, cancellationToken),
            cancellationToken);
        return ToolIn(folder, definition, $"release {release.Version}");
    }

    private async Task<string> DownloadAsync(ToolDefinition definition, PinnedRelease release, string directory, CancellationToken cancellationToken)
    {
        var file = Path.Combine(directory, definition.Programs[0]);
        using var source = await http.GetStreamAsync(release.Address, cancellationToken);
        using (var target = File.Create(file))
        {
            await source.CopyToAsync(target, cancellationToken);
        }

        using (var written = File.OpenRead(file))
        {
            var actual = Convert.ToHexStringLower(await SHA256.HashDataAsync(written, cancellationToken));
            if (actual != release.Sha256)
            {
                throw new K3sException(
                    ExitCodes.RequirementMissing,
                    $"{release.Address} has SHA-256 {actual}, and {release.Sha256} was expected: it is not what was published",
                    "Look whether a proxy changed the download; a newer version of this library may know a newer release.");
            }
        }

        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(file, (UnixFileMode)0b111_101_101);
        }

        reporter.Step(definition.Title, $"{release.Version} downloaded from {release.Address.Host}, checksum verified");
        return release.Version;
    }

    private static string RecipeOf(PinnedRelease release) => release.Sha256[..8];

    private static Tool ToolIn(string folder, ToolDefinition definition, string source) =>
        new(definition.Name, Path.Combine(folder, definition.Programs[0]), [], source);
}
