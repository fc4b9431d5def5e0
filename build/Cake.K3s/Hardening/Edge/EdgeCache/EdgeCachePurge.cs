using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;

namespace Cake.K3s.Hardening.Edge.EdgeCache;

/// <summary>Drops from Cloudflare's cache what its rules keep, so that visitors see the new release.</summary>
public sealed class EdgeCachePurge
{
    private const string Source = "cache";
    private readonly PipelineRun _run;
    private readonly CloudflareConnector _cloudflare;
    private readonly IReporter _reporter;

    internal EdgeCachePurge(PipelineRun run, CloudflareConnector cloudflare, IReporter reporter)
    {
        _run = run;
        _cloudflare = cloudflare;
        _reporter = reporter;
    }

    /// <summary>Drops what the rules of edge.cache keep.</summary>
    /// <exception cref="K3sException">Cloudflare refuses, or the environment has no such rules (exit code 2).</exception>
    public async Task PurgeAsync()
    {
        var settings = _run.EnvironmentSettings.Edge?.Cache ?? throw new K3sException(
            ExitCodes.BadInput, $"environment {_run.EnvironmentSettings.Name} has no edge.cache in deploy.yaml", "docs/edge.md shows one.");
        var (addresses, prefixes) = CacheRules.Kept(settings);
        var zone = await _cloudflare.OpenAsync(_run.Cancellation);
        await zone.PurgeAsync(addresses, _run.Cancellation);
        await zone.PurgePrefixesAsync(prefixes, _run.Cancellation);
        _reporter.Step(Source, $"{addresses.Length} addresses and {prefixes.Length} prefixes dropped from the cache of {zone.Name}");
    }

    /// <summary>
    /// Drops them when another release serves, where the settings want that. It serves whatever comes of this, so a failure is a warning.
    /// </summary>
    public async Task PurgeAfterDeployAsync()
    {
        if (_run.EnvironmentSettings.Edge?.Cache is not { PurgeOnDeploy: true })
        {
            return;
        }

        try
        {
            await PurgeAsync();
        }
        catch (K3sException failure)
        {
            _reporter.Warning(Source, $"the release serves, but Cloudflare may answer from its cache with what was before, until its time is up: {failure.Summary}. Next: --target=PurgeEdgeCache --environment={_run.EnvironmentSettings.Name}");
        }
    }
}
