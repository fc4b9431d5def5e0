using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Puts an earlier release back: plans and applies its recorded manifests as a new release, and verifies it.</summary>
public sealed class Rollback
{
    private const string Source = "rollback";

    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly RunLock _lock;
    private readonly ReleaseApplier _releases;
    private readonly RolloutVerifier _verifier;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal Rollback(
        PipelineRun run, ClusterConnector connector, RunLock runLock, ReleaseApplier releases, RolloutVerifier verifier, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _lock = runLock;
        _releases = releases;
        _verifier = verifier;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Goes back to the release of <c>--to</c>, or to the last verified one before the present.</summary>
    /// <exception cref="K3sException">There is no such release, it does not fit the schema, or it does not roll out.</exception>
    public async Task RollBackAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var api = await _connector.OpenAsync(environment.Cluster, _run.Cancellation);
        try
        {
            await _lock.HoldAsync(api, cancellation => RollBackAsync(api, cancellation));
        }
        finally
        {
            await _lock.GiveBackAsync();
        }
    }

    internal async Task RollBackAsync(ClusterApi api, CancellationToken cancellationToken)
    {
        var store = new ReleaseStore(api, _run.Settings.App);
        var releases = await store.ListAsync(cancellationToken);
        var target = RollbackTarget.Choose(releases, _run.Options.ToRelease);
        if (SchemaCompatibility.Obstacle(releases, target) is { } obstacle)
        {
            throw new K3sException(
                ExitCodes.Failed, $"no rollback to {target}: {obstacle}", "go back to a newer release, or deploy a fix; History lists the releases with their schema");
        }

        var nodes = await store.ReadManifestsAsync(target, cancellationToken);
        var manifests = ReleaseApplier.ToManifests(target, nodes);
        foreach (var interrupted in releases.Where(release => release.State is ReleaseState.Pending or ReleaseState.Applied))
        {
            await store.UpdateAsync(interrupted with { State = ReleaseState.Superseded, FinishedAt = _time.GetUtcNow() }, cancellationToken);
        }

        var origin = RunOrigin.Read();
        var release = target with
        {
            Number = releases[0].Number + 1,
            State = ReleaseState.Pending,
            By = origin.By,
            CiRun = origin.CiRun,

            // The database stays as it is.
            SchemaVersion = releases.Select(other => other.SchemaVersion).FirstOrDefault(version => version is not null),
            SchemaChange = SchemaChange.Expand,
            RollbackTo = target.Number,
            StartedAt = _time.GetUtcNow(),
            AppliedAt = null,
            FinishedAt = null,
            Verdict = null,
        };
        release = await store.CreateAsync(release, nodes, cancellationToken);
        _reporter.Report(release.ToEvent());
        _reporter.Step(Source, $"goes back to {target}; recorded as {release}");
        var plan = await _releases.ApplyAsync(api, new ApplySet(_run.Settings.App, api.Namespace), manifests, cancellationToken);
        foreach (var change in plan.ImageChanges)
        {
            _reporter.Step(change.Owner.ToString(), $"{change.Container}: {change.Before ?? "(none)"} -> {change.After ?? "(none)"}");
        }

        release = await store.UpdateAsync(release with { State = ReleaseState.Applied, AppliedAt = _time.GetUtcNow() }, cancellationToken);
        _reporter.Report(release.ToEvent());
        await _verifier.VerifyAsync(api, store, release, manifests, cancellationToken);
    }
}
