using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Tools;

/// <summary>Finds each tool once a run: on PATH, in <c>.tools/</c>, in Debian packages, as a pinned release.</summary>
internal sealed class Toolbox(
    IReadOnlyDictionary<ToolName, ToolDefinition> catalog,
    ICommandRunner runner,
    DebianTools debian,
    ReleaseTools releases,
    RunOptions options,
    EnvironmentVariables variables) : IToolbox
{
    private static readonly TimeSpan ProbeTimeout = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<ToolName, SemaphoreSlim> _searches = new();
    private readonly ConcurrentDictionary<ToolName, Tool> _found = new();

    public async Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken)
    {
        // One search a tool at a time: several tasks may ask for the same one at once.
        var search = _searches.GetOrAdd(tool, _ => new SemaphoreSlim(1));
        await search.WaitAsync(cancellationToken);
        try
        {
            if (!_found.TryGetValue(tool, out var known))
            {
                known = await SearchAsync(catalog[tool], neededBy, cancellationToken);
                _found[tool] = known;
            }

            return known;
        }
        finally
        {
            search.Release();
        }
    }

    /// <summary>Looks for a tool where it would be found without a download.</summary>
    public async Task<ToolSearch> LookForAsync(ToolName tool, CancellationToken cancellationToken)
    {
        var definition = catalog[tool];
        var reasons = new List<string>();
        var found = await InstalledAsync(definition, reasons, cancellationToken) ?? debian.Find(definition) ?? releases.Find(definition);
        var version = found is null ? null : definition.Probe.Read(await VersionAsync(found, definition.Probe, cancellationToken));
        var canBeFetched = (!definition.Debian.IsEmpty && Directory.Exists("/etc/apt")) || ReleaseTools.ForThisSystem(definition) is not null;
        return new(definition, found, version, canBeFetched, reasons);
    }

    private async Task<string> VersionAsync(Tool tool, VersionProbe probe, CancellationToken cancellationToken)
    {
        try
        {
            var told = await runner.RunAsync(new Command(tool.Path, probe.Arguments) { Environment = tool.Environment, Timeout = ProbeTimeout }, cancellationToken);
            return told.StandardOutput + told.StandardError;
        }
        catch (CommandFailedException)
        {
            return ""; // Its version is told where it is known; that it does not run, whoever runs it says.
        }
    }

    private async Task<Tool> SearchAsync(ToolDefinition definition, string neededBy, CancellationToken cancellationToken)
    {
        var reasons = new List<string>();
        if (await InstalledAsync(definition, reasons, cancellationToken) is { } installed)
        {
            return installed;
        }

        if ((debian.Find(definition) ?? releases.Find(definition)) is { } unpacked)
        {
            return unpacked;
        }

        if (!definition.Debian.IsEmpty
            && await TryAsync(() => debian.FetchAsync(definition, cancellationToken), "Debian packages", reasons) is { } package)
        {
            return package;
        }

        if (ReleaseTools.ForThisSystem(definition) is { } release
            && await TryAsync(() => releases.FetchAsync(definition, release, cancellationToken), "download", reasons) is { } download)
        {
            return download;
        }

        throw new K3sException(
            ExitCodes.RequirementMissing,
            $"{neededBy} needs {definition.Title}, which is neither on PATH nor can be fetched",
            $"{definition.Advice} Or put the program at {Path.Combine(options.ToolsDirectory, "bin", definition.Programs[0])}.",
            reasons);
    }

    private async Task<Tool?> InstalledAsync(ToolDefinition definition, List<string> reasons, CancellationToken cancellationToken)
    {
        var own = Path.Combine(options.ToolsDirectory, "bin");
        var places = string.Join(Path.PathSeparator, [own, variables["PATH"], .. definition.Places.SelectMany(Expand)]);
        var candidates = definition.Programs.SelectMany(program => ProgramPath.All(program, places)).Distinct().ToList();
        if (candidates.Count == 0)
        {
            reasons.Add($"PATH: no {string.Join(" or ", definition.Programs)}");
        }

        foreach (var candidate in candidates)
        {
            var searched = Path.GetDirectoryName(candidate) + Path.PathSeparator + variables["PATH"];
            var objection = definition.Companions.Where(companion => ProgramPath.Find(companion, searched) is null).ToList() is { Count: > 0 } absent
                ? $"comes without {string.Join(", ", absent)}"
                : await ProbeAsync(candidate, definition.Probe, cancellationToken);
            if (objection is null)
            {
                return new Tool(definition.Name, candidate, ImmutableDictionary<string, string?>.Empty, candidate.StartsWith(own, StringComparison.Ordinal) ? ".tools/bin" : "PATH");
            }

            reasons.Add($"{candidate}: {objection}");
        }

        return null;
    }

    private async Task<string?> ProbeAsync(string program, VersionProbe probe, CancellationToken cancellationToken)
    {
        try
        {
            var result = await runner.RunAsync(new Command(program, probe.Arguments) { Timeout = ProbeTimeout }, cancellationToken);
            return probe.Objection(result.StandardOutput + result.StandardError);
        }
        catch (CommandFailedException failure)
        {
            return failure.Summary;
        }
    }

    private static async Task<Tool?> TryAsync(Func<Task<Tool>> fetch, string way, List<string> reasons)
    {
        try
        {
            return await fetch();
        }
        catch (K3sException failure)
        {
            reasons.Add($"{way}: {failure.Summary}");
            reasons.AddRange(failure.Details);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or HttpRequestException)
        {
            reasons.Add($"{way}: {failure.Message}");
        }

        return null;
    }

    private IEnumerable<string> Expand(string place) =>
        place.StartsWith('~')
            ? variables["HOME"] is { } home ? PathPattern.Expand(home, place[2..]) : []
            : PathPattern.Expand("/", place);
}
