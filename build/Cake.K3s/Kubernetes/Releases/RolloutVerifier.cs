using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Watches the release that was applied until its verdict is known; a failed one is followed by the last good one.</summary>
public sealed class RolloutVerifier
{
    private const string Source = "verify";

    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly RunLock _lock;
    private readonly RolloutWatcher _watcher;
    private readonly EvidenceCollector _evidence;
    private readonly ReleaseApplier _releases;
    private readonly Applier _applier;
    private readonly ReleaseSummary _summary;
    private readonly IReporter _reporter;
    private readonly TaskDurations _durations;
    private readonly TimeProvider _time;

    internal RolloutVerifier(
        PipelineRun run, ClusterConnector connector, RunLock runLock, RolloutWatcher watcher, EvidenceCollector evidence,
        ReleaseApplier releases, Applier applier, ReleaseSummary summary, IReporter reporter, TaskDurations durations, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _lock = runLock;
        _watcher = watcher;
        _evidence = evidence;
        _releases = releases;
        _applier = applier;
        _summary = summary;
        _reporter = reporter;
        _durations = durations;
        _time = time;
    }

    /// <summary>Verifies the newest release, tells how to check it, and gives the deploy lock back.</summary>
    /// <exception cref="K3sException">
    /// The rollout failed: exit code 3 if it had taken traffic from the last good release, which was put back; else 1.
    /// </exception>
    public async Task VerifyAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var api = await _connector.OpenAsync(environment.Cluster, _run.Cancellation);
        try
        {
            await _lock.HoldAsync(api, cancellation => VerifyAsync(environment, api, cancellation));
        }
        finally
        {
            await _lock.GiveBackAsync();
        }
    }

    internal async Task VerifyAsync(DeployEnvironment environment, ClusterApi api, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(api, _run.Settings.App);
        var releases = await store.ListAsync(cancellationToken);
        var release = releases.FirstOrDefault(release => release.State is not (ReleaseState.RolledBack or ReleaseState.Superseded));
        if (release is null or { State: ReleaseState.Pending or ReleaseState.Failed })
        {
            throw new K3sException(
                ExitCodes.Failed,
                release is null ? "there is no release to verify" : $"there is no release to verify: {release} is {release.State}",
                $"deploy one: --target=Deploy --environment={environment.Name}");
        }

        _reporter.Report(ReleaseTiming.Before(release, releases));
        var manifests = ReleaseApplier.ToManifests(release, await store.ReadManifestsAsync(release, cancellationToken));
        await VerifyAsync(api, store, release, manifests, cancellationToken);
        await _summary.WriteAsync(environment, release, manifests, cancellationToken);
    }

    /// <summary>Watches a release that was just applied, and records the verdict.</summary>
    internal async Task VerifyAsync(
        ClusterApi api, ReleaseStore store, Release release, ImmutableArray<Manifest> manifests, CancellationToken cancellationToken)
    {
        var keys = manifests.Select(manifest => manifest.Key).ToList();
        var outcome = await _watcher.WatchAsync(api, keys, TermsOf(release), cancellationToken);
        if (!outcome.Succeeded)
        {
            throw await FailAsync(api, store, release, outcome, cancellationToken);
        }

        var verdict = $"{outcome.Count} of {outcome.Count} watched objects rolled out";
        if (release.State != ReleaseState.Verified)
        {
            release = await store.UpdateAsync(
                release with { State = ReleaseState.Verified, FinishedAt = _time.GetUtcNow(), Verdict = verdict, TaskSeconds = _durations.Seconds() },
                cancellationToken);
        }

        await _applier.PruneAsync(api, SetOf(api), keys, cancellationToken);
        await store.PruneAsync(_run.Settings.Rollout.Keep, cancellationToken);
        _reporter.Report(release.ToEvent());
        _reporter.Report(new VerdictReached(release.ToString(), verdict, [], [], null));
        _reporter.Step(Source, $"{release} is verified: {verdict}{(api.Retries.Total > 0 ? $"; {api.Retries}" : "")}");
    }

    private async Task<K3sException> FailAsync(
        ClusterApi api, ReleaseStore store, Release release, RolloutOutcome outcome, CancellationToken cancellationToken)
    {
        var directory = Path.Combine(_run.Options.ArtifactsDirectory, $"release-{release.Number}", "evidence");
        var evidence = await _evidence.CollectAsync(api, outcome.Failures, directory, cancellationToken);
        var failures = outcome.Failures.Select(failure => failure with { Verdict = evidence.Refine(failure.Verdict) }).ToList();
        var headline = $"{release} failed: {failures[0]}";
        var details = failures.Skip(1).Select(failure => failure.ToString()).Concat(evidence.Lines).ToList();
        var nextStep = $"{failures[0].Verdict.NextStep}. All evidence: {directory}";
        _reporter.Report(new VerdictReached(release.ToString(), headline, [.. failures.Select(failure => failure.ToReport())], evidence.Lines, directory));
        if (release.State == ReleaseState.Verified)
        {
            return new(ExitCodes.Failed, $"{release}, which was verified before, is not healthy: {failures[0]}", nextStep, details);
        }

        release = await store.UpdateAsync(
            release with { State = ReleaseState.Failed, FinishedAt = _time.GetUtcNow(), Verdict = failures[0].ToString() }, cancellationToken);
        _reporter.Report(release.ToEvent());

        // Shown before the rollback starts: that takes a while, and takes what is seen here out of the cluster.
        _reporter.Warning(Source, headline);
        details.ForEach(line => _reporter.Step(Source, line));
        var (isBack, what) = await RollBackAsync(api, store, release, cancellationToken);
        _reporter.Step(Source, what);
        return new(
            isBack && outcome.NewVersionServed ? ExitCodes.RolledBack : ExitCodes.Failed, headline, nextStep, [.. details, what]);
    }

    private async Task<(bool IsBack, string What)> RollBackAsync(
        ClusterApi api, ReleaseStore store, Release failed, CancellationToken cancellationToken)
    {
        if (!_run.Settings.Rollout.RollBack)
        {
            return (false, "no rollback: rollout.rollBack is false in deploy.yaml");
        }

        var releases = await store.ListAsync(cancellationToken);
        if (ReleaseNumbering.LastGood(releases, failed) is not { } good)
        {
            return (false, "no rollback: there is no earlier release that was verified");
        }

        if (SchemaCompatibility.Obstacle(releases, good) is { } obstacle)
        {
            return (false, $"no rollback to {good}: {obstacle}");
        }

        _reporter.Step(Source, $"puts {good} back");
        var manifests = ReleaseApplier.ToManifests(good, await store.ReadManifestsAsync(good, cancellationToken));
        var keys = manifests.Select(manifest => manifest.Key).ToList();
        var terms = new RolloutTerms(_time.GetUtcNow(), _run.Settings.Rollout.Deadline.Value);
        try
        {
            await _releases.ApplyAsync(api, SetOf(api), manifests, cancellationToken);
        }
        catch (K3sException e)
        {
            return (false, $"the rollback to {good} could not be applied: {e.Summary}");
        }

        var outcome = await _watcher.WatchAsync(api, keys, terms, cancellationToken);
        if (!outcome.Succeeded)
        {
            return (false, $"the rollback to {good} was applied, but did not roll out either: {outcome.Failures[0]}");
        }

        await _applier.PruneAsync(api, SetOf(api), keys, cancellationToken);
        failed = await store.UpdateAsync(failed with { State = ReleaseState.RolledBack }, cancellationToken);
        _reporter.Report(failed.ToEvent());
        return (true, $"{good} was put back and serves");
    }

    private ApplySet SetOf(ClusterApi api) => new(_run.Settings.App, api.Namespace);

    /// <summary>A release that was applied long ago is judged from now on: its deadline has passed in good health.</summary>
    private RolloutTerms TermsOf(Release release)
    {
        var now = _time.GetUtcNow();
        var deadline = _run.Settings.Rollout.Deadline.Value;
        return new(now - release.StartedAt < deadline ? release.StartedAt : now, deadline);
    }
}
