using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Reporting;
using Cake.Shared;

namespace Cake.K3s.Operations.Regions;

/// <summary>Brings the release that an environment has verified to its other regions, one after the other.</summary>
public sealed class RegionRollout
{
    private const string Source = "regions";
    private readonly PipelineRun _run;
    private readonly IRegionDeployer _regions;
    private readonly IReporter _reporter;

    internal RegionRollout(PipelineRun run, IRegionDeployer regions, IReporter reporter)
    {
        _run = run;
        _regions = regions;
        _reporter = reporter;
    }

    /// <summary>Deploys to each region and verifies it before the next is begun.</summary>
    /// <exception cref="K3sException">
    /// There are no regions (exit code 2), the environment's own release is not verified, or a region failed, with that region's exit code:
    /// those after it were not begun.
    /// </exception>
    public async Task RunAsync()
    {
        var first = _run.EnvironmentSettings;
        var regions = RegionsOf(first.Name, first.Regions);
        var release = await _regions.NewestAsync(first.Name, _run.Cancellation);
        if (release is not { State: ReleaseState.Verified })
        {
            throw new K3sException(
                ExitCodes.Failed,
                release is null ? $"there is no release in {first.Name} to bring to other regions" : $"{release} of {first.Name} is {release.State}: only a verified one goes to other regions",
                $"--target=Deploy --environment={first.Name}");
        }

        var done = new List<string> { first.Name };
        foreach (var region in regions)
        {
            _run.Cancellation.ThrowIfCancellationRequested();
            _reporter.Step(Source, $"{region}: begins ({done.Count} of {regions.Length + 1} regions have {release} of {first.Name})");
            try
            {
                await _regions.DeployAsync(region, release, _run.Cancellation);
                await RequireSameAsync(region, release);
            }
            catch (K3sException failure)
            {
                var left = regions.SkipWhile(other => other != region).Skip(1).ToList();
                throw new K3sException(
                    failure.ExitCode,
                    $"region {region}: {failure.Summary}{(left.Count > 0 ? $"; not begun: {string.Join(", ", left)}" : "")}",
                    $"{(failure.NextStep ?? "mend it there").TrimEnd('.')}. The same target again skips {string.Join(", ", done)}, which have the release.",
                    failure.Details,
                    failure);
            }

            done.Add(region);
        }

        _reporter.Step(Source, $"{string.Join(", ", done)} have the images of {release} of {first.Name}");
    }

    private async Task RequireSameAsync(string region, Release wanted)
    {
        var newest = await _regions.NewestAsync(region, _run.Cancellation);
        if (newest is not { State: ReleaseState.Verified } || !SameImages(newest.Images, wanted.Images))
        {
            throw new K3sException(
                ExitCodes.Failed, $"what is verified there is not the release: {newest?.ToString() ?? "nothing"}", "Somebody else deploys there: wait, then run the target again.");
        }
    }

    /// <summary>Whether two releases have the same images, from whatever registry they come.</summary>
    internal static bool SameImages(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        one.Count == other.Count && one.All(image => other.TryGetValue(image.Key, out var reference) && DigestOf(reference) == DigestOf(image.Value));

    private static string DigestOf(string reference) => reference[(reference.LastIndexOf('@') + 1)..];

    private ImmutableArray<string> RegionsOf(string name, ImmutableArray<string> regions)
    {
        if (regions.IsDefaultOrEmpty)
        {
            throw new K3sException(ExitCodes.BadInput, $"environment {name} has no other regions", "Name their environments under 'regions' in deploy.yaml; docs/edge.md shows it.");
        }

        if (regions.FirstOrDefault(region => region == name || regions.Count(other => other == region) > 1) is { } twice)
        {
            throw new K3sException(ExitCodes.BadInput, $"region {twice} is named twice by environment {name}", "Each region is another environment; the environment itself is the first.");
        }

        return regions.FirstOrDefault(region => !_run.Settings.Environments.ContainsKey(region)) is { } unknown
            ? throw new K3sException(
                ExitCodes.BadInput,
                $"region '{unknown}' of environment {name} is no environment of deploy.yaml",
                NearestName.Find(unknown, _run.Settings.Environments.Keys) is { } near ? $"Did you mean '{near}'?" : $"There are: {string.Join(", ", _run.Settings.Environments.Keys.Order(StringComparer.Ordinal))}.")
            : regions;
    }
}
