using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tools;

/// <summary>Tools from Debian packages, unpacked under <c>.tools/</c>.</summary>
internal sealed class DebianTools(
    IDebianPackages packages,
    ContentStore store,
    EnvironmentVariables variables,
    IReporter reporter,
    TimeProvider time)
{
    /// <summary>The tool as it was unpacked by an earlier run, or null.</summary>
    public Tool? Find(ToolDefinition definition) =>
        store.Find(definition.Title, definition.Recipe) is { } folder ? ToolIn(folder, definition, ".tools") : null;

    /// <summary>Fetches the tool.</summary>
    public async Task<Tool> FetchAsync(ToolDefinition definition, CancellationToken cancellationToken)
    {
        var folder = await store.EnsureAsync(
            definition.Title,
            definition.Recipe,
            directory => FillAsync(definition, directory, cancellationToken),
            cancellationToken);
        return ToolIn(folder, definition, $"Debian package {Path.GetFileName(folder)[..^(definition.Recipe.Length + 1)]}")
            ?? throw new K3sException(ExitCodes.RequirementMissing, $"its Debian packages do not hold {definition.DebianProgram}", definition.Advice);
    }

    private async Task<string> FillAsync(ToolDefinition definition, string directory, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var all = new List<DebianPackage>();
        foreach (var part in definition.Debian)
        {
            var named = part.Packages.Where(package => !package.Contains('*', StringComparison.Ordinal)).ToList();
            var found = await packages.ResolveAsync(part.Release, named, part.WithLibraries, cancellationToken);
            var chosen = part.WithLibraries ? DebianSelection.WithLibraries(found, part.Packages) : found;
            await packages.UnpackAsync(part.Release, chosen, directory, cancellationToken);
            all.AddRange(chosen);
        }

        foreach (var leftOut in definition.DebianLeftOut.SelectMany(pattern => PathPattern.Expand(directory, pattern)))
        {
            if (Directory.Exists(leftOut))
            {
                Directory.Delete(leftOut, recursive: true);
            }
            else
            {
                File.Delete(leftOut);
            }
        }

        foreach (var (link, target) in definition.DebianLinks)
        {
            // A package may bring the link itself.
            File.Delete(Path.Combine(directory, link));
            File.CreateSymbolicLink(Path.Combine(directory, link), target);
        }

        var version = all.First(package => package.Name == definition.Debian[0].Packages[0]).Version;
        reporter.Step(definition.Title, string.Create(
            CultureInfo.InvariantCulture,
            $"{version} unpacked from {all.Count} Debian package{(all.Count == 1 ? "" : "s")} ({all.Sum(package => package.Size) / 1e6:0.0} MB) in {time.GetElapsedTime(start).TotalSeconds:0.0} s"));
        return version;
    }

    private Tool? ToolIn(string folder, ToolDefinition definition, string source) =>
        definition.DebianProgram is { } pattern && PathPattern.Expand(folder, pattern).FirstOrDefault() is { } program
            ? new Tool(definition.Name, program, definition.DebianIsBundle ? BundleVariables(folder) : ImmutableDictionary<string, string?>.Empty, source)
            : null;

    private ImmutableDictionary<string, string?> BundleVariables(string folder)
    {
        // Some packages still say /lib where they mean /usr/lib.
        var libraries = new[] { "usr/lib/*-linux-gnu*", "lib/*-linux-gnu*" }.SelectMany(pattern => PathPattern.Expand(folder, pattern)).ToList();
        return ImmutableDictionary<string, string?>.Empty
            .Add("PATH", string.Join(Path.PathSeparator, Path.Combine(folder, "usr/sbin"), Path.Combine(folder, "usr/bin"), variables["PATH"]))
            .Add("LD_LIBRARY_PATH", string.Join(Path.PathSeparator, libraries))
            .Add("XTABLES_LIBDIR", string.Join(Path.PathSeparator, libraries.Select(directory => Path.Combine(directory, "xtables")).Where(Directory.Exists)));
    }
}
