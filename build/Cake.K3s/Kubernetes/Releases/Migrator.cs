using System.Text.Json.Nodes;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Migrates the database schema for a release, once, before anything of the release is applied.</summary>
public sealed class Migrator
{
    private const string Source = "migrate";
    private const int KeptJobs = 3;
    private static readonly GroupVersionKind JobKind = new("batch", "v1", "Job");

    private readonly PipelineRun _run;
    private readonly ClusterConnector _connector;
    private readonly ManifestLoader _loader;
    private readonly ImageGate _gate;
    private readonly RunLock _lock;
    private readonly JobRun _jobs;
    private readonly EvidenceCollector _evidence;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal Migrator(
        PipelineRun run, ClusterConnector connector, ManifestLoader loader, ImageGate gate, RunLock runLock, JobRun jobs,
        EvidenceCollector evidence, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _connector = connector;
        _loader = loader;
        _gate = gate;
        _lock = runLock;
        _jobs = jobs;
        _evidence = evidence;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Takes the deploy lock, which stays held, and runs the migration unless this very one has completed before.</summary>
    /// <exception cref="K3sException">The migration failed (exit code 1), or another run holds the lock (4).</exception>
    public async Task MigrateAsync()
    {
        if (_run.Settings.Migration is not { } settings)
        {
            _reporter.Step(Source, "skipped: deploy.yaml declares no migration");
            return;
        }

        var desired = await Desired.ReadAsync(_run, _connector, _loader, _gate);
        var migration = MigrationJob.Of(desired.Manifests, _run.Settings.App, desired.Api.Namespace)!;
        await desired.EnsureNamespaceAsync(_run.Cancellation);
        await _lock.HoldAsync(desired.Api, cancellation => MigrateAsync(desired.Api, migration, settings.Timeout.Value, cancellation));
    }

    /// <summary>The schema version that the migration of a release left; null if it was not run, or did not tell.</summary>
    internal static async Task<string?> ReadVersionAsync(ClusterApi api, MigrationJob migration, CancellationToken cancellationToken) =>
        await api.GetAsync(migration.Key, cancellationToken) is { } job && job.IsTrue("Complete")
            ? RecordedVersion(job)
            : null;

    internal async Task MigrateAsync(ClusterApi api, MigrationJob migration, TimeSpan timeout, CancellationToken cancellationToken)
    {
        var job = await api.GetAsync(migration.Key, cancellationToken);
        if (job is not null && job.IsTrue("Complete"))
        {
            var left = RecordedVersion(job) is { } version ? $"; schema version {version}" : "";
            _reporter.Step(Source, $"skipped: {migration.Key} has completed before{left}");
            if (job.Annotation(MigrationJob.SchemaVersionAnnotation) is null)
            {
                // The run that started it was killed before it could tell.
                var told = new JobLog(_reporter, Source);
                await told.ReadAsync(api, migration.Key, cancellationToken);
                await CompleteAsync(api, job, told, cancellationToken);
            }

            return;
        }

        if (job is not null && (job.IsTrue("Failed") || job.IsBeingDeleted()))
        {
            await RemoveAsync(api, job, cancellationToken);
            job = null;
        }

        var startedAt = _time.GetUtcNow();
        job = await StartAsync(api, migration, job, cancellationToken);
        var log = new JobLog(_reporter, Source);
        var outcome = await _jobs.FollowAsync(api, migration.Key, log, new RolloutTerms(startedAt, timeout), cancellationToken);
        if (!outcome.Succeeded)
        {
            await FailAsync(api, migration.Key, outcome, log, cancellationToken);
        }

        await CompleteAsync(api, job, log, cancellationToken);
        await RemoveOldAsync(api, migration.Key, cancellationToken);
    }

    /// <summary>Makes the Job, then what it reads, then lets it run: whatever this is interrupted by, the copies have their owner.</summary>
    private async Task<JsonObject> StartAsync(ClusterApi api, MigrationJob migration, JsonObject? job, CancellationToken cancellationToken)
    {
        foreach (var account in migration.Accounts)
        {
            if (await api.GetAsync(ObjectKey.Of(account), cancellationToken) is null)
            {
                await api.ApplyAsync(account, cancellationToken);
            }
        }

        if (job is null)
        {
            job = await api.CreateAsync(migration.Job, cancellationToken);
            _reporter.Step(Source, $"started {migration.Key}");
        }
        else
        {
            _reporter.Step(Source, $"goes on with {migration.Key}, which an earlier run started");
        }

        return await JobRun.ResumeAsync(api, job, migration.Copies, cancellationToken);
    }

    private async Task FailAsync(
        ClusterApi api, ObjectKey job, RolloutOutcome outcome, JobLog log, CancellationToken cancellationToken)
    {
        var failure = outcome.Failures[0];
        var directory = Path.Combine(_run.Options.ArtifactsDirectory, "migration", "evidence");
        var evidence = await _evidence.CollectAsync(api, outcome.Failures, directory, cancellationToken);
        var verdict = evidence.Refine(failure.Verdict);
        var lines = evidence.Lines.IsEmpty ? [.. log.Lines.TakeLast(12).Select(line => $"| {line}")] : evidence.Lines;

        // A Job that can never start would be waited for by the next run, and hold its pod for ever.
        if (await api.GetAsync(job, cancellationToken) is { } live && !live.IsTrue("Failed"))
        {
            await RemoveAsync(api, live, cancellationToken);
        }

        throw new K3sException(
            ExitCodes.Failed,
            $"the migration failed: {failure with { Verdict = verdict }}",
            $"{verdict.NextStep}; nothing of the release was applied, the last good one keeps serving. All evidence: {directory}",
            lines);
    }

    private async Task CompleteAsync(ClusterApi api, JsonObject job, JobLog log, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(job);
        var pods = await PodsAsync(api, key, cancellationToken);
        var version = SchemaVersion.Of(job, pods, log.Lines);
        if (version is null)
        {
            _reporter.Warning(
                Source,
                "the migration does not tell which schema version it left: print \"schema version: N\" or write it to /dev/termination-log, so that a rollback can be judged by it");
        }

        // Empty where it did not tell: then nobody looks for it again.
        await api.PatchAsync(
            key,
            PatchType.Merge,
            new JsonObject { ["metadata"] = new JsonObject { ["annotations"] = new JsonObject { [MigrationJob.SchemaVersionAnnotation] = version ?? "" } } },
            cancellationToken);
        _reporter.Step(Source, version is null ? "done" : $"done; schema version {version}");
    }

    private static string? RecordedVersion(JsonObject job) =>
        job.Annotation(MigrationJob.SchemaVersionAnnotation) is { Length: > 0 } version ? version : null;

    private static async Task<IReadOnlyList<JsonObject>> PodsAsync(ClusterApi api, ObjectKey job, CancellationToken cancellationToken) =>
        (await api.ListAsync(
            new("", "v1", "Pod"), job.Namespace, new() { LabelSelector = $"{MigrationJob.JobLabel}={job.Name}" }, cancellationToken)).Items;

    private async Task RemoveOldAsync(ClusterApi api, ObjectKey current, CancellationToken cancellationToken)
    {
        var jobs = await api.ListAsync(
            JobKind, current.Namespace, new() { LabelSelector = $"{MigrationJob.MigrationLabel}={_run.Settings.App}" }, cancellationToken);
        var old = jobs.Items
            .Where(job => job.ObjectName() != current.Name)
            .OrderByDescending(job => job.CreatedAt())
            .Skip(KeptJobs - 1);
        foreach (var job in old)
        {
            await api.DeleteAsync(ObjectKey.Of(job), cancellationToken, new() { Uid = job.Uid() });
        }
    }

    /// <summary>Deletes a Job with its pods, and waits until it is gone, so that its name is free.</summary>
    private static async Task RemoveAsync(ClusterApi api, JsonObject job, CancellationToken cancellationToken)
    {
        var key = ObjectKey.Of(job);
        await api.DeleteAsync(key, cancellationToken, new() { Uid = job.Uid() });
        await foreach (var change in api.WatchAsync(JobKind, key.Namespace, new() { FieldSelector = $"metadata.name={key.Name}" }, cancellationToken))
        {
            if (change.Type is WatchEventType.Deleted or WatchEventType.Synced && await api.GetAsync(key, cancellationToken) is null)
            {
                return;
            }
        }
    }
}
