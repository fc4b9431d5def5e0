using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Tells what is deployed and how it is, once, changing nothing.</summary>
public sealed class Status
{
    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly RolloutWatcher _watcher;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal Status(PipelineRun run, ClusterConnector connector, RolloutWatcher watcher, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _watcher = watcher;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Reports the release, each workload with its pods, and who holds the deploy lock.</summary>
    /// <exception cref="K3sException">A workload is not healthy (exit code 1).</exception>
    public async Task WriteAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var api = await _connector.OpenAsync(environment.Cluster, _run.Cancellation);
        if (await DeployLock.DescribeAsync(api, _run.Settings.App, _run.Cancellation) is { } holder)
        {
            _reporter.Step("lock", $"held by {holder}");
        }

        var store = new ReleaseStore(api, _run.Settings.App);
        var release = (await store.ListAsync(_run.Cancellation)).FirstOrDefault(release => release.State is not (ReleaseState.RolledBack or ReleaseState.Superseded));
        if (release is null)
        {
            _reporter.Step("release", $"nothing is deployed to {environment.Name}");
            return;
        }

        _reporter.Step($"release {release.Number}", History.Describe(release));
        var keys = (await store.ReadManifestsAsync(release, _run.Cancellation)).Select(ObjectKey.Of);
        var outcome = await _watcher.WatchAsync(api, keys, new RolloutTerms(_time.GetUtcNow(), TimeSpan.Zero), _run.Cancellation);
        if (!outcome.Succeeded)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{outcome.Failures.Length} of {outcome.Count} watched objects are not healthy: {outcome.Failures[0]}",
                outcome.Failures[0].Verdict.NextStep,
                [.. outcome.Failures.Skip(1).Select(failure => failure.ToString())]);
        }
    }
}
