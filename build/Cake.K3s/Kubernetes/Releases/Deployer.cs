using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Records a release and applies it. Whatever it is interrupted by, the same deploy again goes on with the same release.</summary>
public sealed class Deployer
{
    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly ManifestLoader _loader;
    private readonly ImageGate _gate;
    private readonly Planner _planner;
    private readonly Applier _applier;
    private readonly RunLock _lock;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal Deployer(
        PipelineRun run, ClusterConnector connector, ManifestLoader loader, ImageGate gate, Planner planner, Applier applier, RunLock runLock,
        IReporter reporter, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _loader = loader;
        _gate = gate;
        _planner = planner;
        _applier = applier;
        _lock = runLock;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Takes the deploy lock, which stays held, records the release, and applies its objects.</summary>
    /// <exception cref="K3sException">
    /// The cluster refuses an object, or a plan that was given no longer holds (exit code 1); another run holds the lock (4).
    /// </exception>
    public async Task DeployAsync()
    {
        var desired = await Desired.ReadAsync(_run, _connector, _loader, _gate);
        await desired.EnsureNamespaceAsync(_run.Cancellation);
        await _lock.HoldAsync(desired.Api, cancellation => DeployAsync(desired, cancellation));
    }

    internal async Task DeployAsync(Desired desired, CancellationToken cancellationToken)
    {
        var api = desired.Api;
        var plan = await _planner.MakeAsync(api, desired.Manifests, cancellationToken);
        var store = new ReleaseStore(api, _run.Settings.App);
        var choice = ReleaseNumbering.Choose(await store.ListAsync(cancellationToken), desired.Content);
        if (choice.Existing is { State: ReleaseState.Verified } current && plan.IsEmpty)
        {
            _reporter.Report(current.ToEvent());
            _reporter.Step("deploy", $"skipped: {current} is what is deployed, and nothing differs from it");
            return;
        }

        if (choice.Interrupted is { } interrupted)
        {
            _reporter.Warning("deploy", $"{interrupted} was interrupted before its verdict; it is replaced by release {choice.Number}");
            await store.UpdateAsync(interrupted with { State = ReleaseState.Superseded, FinishedAt = _time.GetUtcNow() }, cancellationToken);
        }

        var release = await RecordAsync(store, choice, desired, cancellationToken);
        await _applier.ApplyAsync(api, plan, cancellationToken);
        if (release.State != ReleaseState.Verified)
        {
            release = await store.UpdateAsync(release with { State = ReleaseState.Applied, AppliedAt = _time.GetUtcNow() }, cancellationToken);
            _reporter.Report(release.ToEvent());
        }

        var changed = plan.Objects.Count(item => item.Change != PlannedChange.None);
        _reporter.Step("deploy", $"{release} applied: {changed} of {plan.Objects.Length} objects changed; {api.Retries}");
    }

    private async Task<Release> RecordAsync(ReleaseStore store, ReleaseChoice choice, Desired desired, CancellationToken cancellationToken)
    {
        var now = _time.GetUtcNow();
        if (choice.Existing is { } existing)
        {
            _reporter.Step("deploy", existing.State == ReleaseState.Verified ? $"puts {existing} back in order" : $"goes on with {existing}, which was interrupted");
            existing = await store.UpdateAsync(existing with { StartedAt = now }, cancellationToken);
            _reporter.Report(existing.ToEvent());
            return existing;
        }

        var migration = MigrationJob.Of(desired.Manifests, _run.Settings.App, desired.Api.Namespace);
        var revision = SourceRevision.Of(_run.Options.Root);
        var origin = RunOrigin.Read();
        var release = new Release
        {
            Number = choice.Number,
            State = ReleaseState.Pending,
            Content = desired.Content,
            Images = desired.Images.ToImmutableSortedDictionary(),
            Commit = revision?.Commit,
            IsDirty = revision?.IsDirty ?? false,
            By = origin.By,
            CiRun = origin.CiRun,
            SchemaVersion = migration is null ? null : await Migrator.ReadVersionAsync(desired.Api, migration, cancellationToken),
            SchemaChange = _run.Settings.Migration?.Change ?? SchemaChange.Expand,
            StartedAt = now,
        };
        release = await store.CreateAsync(release, desired.Manifests.Objects.Select(manifest => manifest.Node), cancellationToken);
        _reporter.Report(release.ToEvent());
        _reporter.Step("deploy", $"recorded as {release}");
        return release;
    }
}
