using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>Backups of the chosen environment's database: made now, listed, expired, restored, and restored for a drill.</summary>
public sealed class DatabaseBackups
{
    private const string Source = "backup";
    private static readonly TimeSpan Limit = TimeSpan.FromHours(2);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);
    private static readonly GroupVersionKind CronJobType = new("batch", "v1", "CronJob");

    private readonly PipelineRun _run;
    private readonly Func<ClusterConnection, CancellationToken, Task<ClusterApi>> _open;
    private readonly SecretReader _secrets;
    private readonly JobRun _jobs;
    private readonly EvidenceCollector _evidence;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal DatabaseBackups(
        PipelineRun run,
        Func<ClusterConnection, CancellationToken, Task<ClusterApi>> open,
        SecretReader secrets,
        JobRun jobs,
        EvidenceCollector evidence,
        IReporter reporter,
        TimeProvider time)
    {
        _run = run;
        _open = open;
        _secrets = secrets;
        _jobs = jobs;
        _evidence = evidence;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Makes a backup now, with the schedule's own Job, and finds it in the bucket.</summary>
    /// <exception cref="K3sException">There is no schedule in the cluster, the Job failed, or what it stored is not there.</exception>
    public async Task BackUpAsync() => await BackUpAsync(Settings, _run.Cancellation);

    /// <summary>Restores the newest backup into a database of its own, compares its rows, drops it, and tells how long it took.</summary>
    /// <exception cref="K3sException">There is no backup, or it does not restore.</exception>
    public async Task DrillAsync()
    {
        var settings = Settings;
        var backup = await ChooseAsync(settings);
        var drill = "cake_k3s_drill_" + _time.GetUtcNow().ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture);
        var begin = _time.GetTimestamp();
        await RestoreAsync(settings, backup, settings.Scratch ?? settings.Database, drill);
        _reporter.Step(
            Source,
            string.Create(CultureInfo.InvariantCulture, $"the drill took {_time.GetElapsedTime(begin).TotalSeconds:0} s; the backup is {Age(backup)} old: what was written since would be lost"));
    }

    /// <summary>Restores a backup, the newest or that of <c>--backup</c>, into the empty database of the secret that <c>--into</c> names.</summary>
    /// <exception cref="K3sException">The database is not empty, there is no such backup, or it does not restore.</exception>
    public async Task RestoreAsync()
    {
        var settings = Settings;
        var into = _run.Options.Into ?? throw new K3sException(
            ExitCodes.BadInput,
            "Restore needs to know where to: no --into=SECRET was given",
            $"Add a secret with the URL of an empty database to environment {_run.EnvironmentSettings.Name} in deploy.yaml, and name it. A database that has tables is never written to.");
        await RestoreAsync(settings, await ChooseAsync(settings), into, drill: null);
    }

    /// <summary>Shows which backups are older than they are kept; with <c>--confirm</c> deletes them.</summary>
    public async Task PruneAsync()
    {
        var settings = Settings;
        using var store = await OpenStoreAsync(settings);
        var (now, prefix) = (_time.GetUtcNow(), Prefix(settings));
        // Of the database's, and of what each server ships, the newest stays.
        var all = (await store.ListBelowAsync(prefix, _run.Cancellation)).Where(backup => BackupName.IsOf(backup.Name.Prefix, prefix)).ToImmutableArray();
        var expired = all.GroupBy(backup => backup.Name.Prefix).SelectMany(alike => BackupRetention.Expired(alike, now, settings.KeepDays)).ToImmutableArray();
        foreach (var backup in expired)
        {
            if (_run.Options.Confirm)
            {
                await store.DeleteAsync(backup.Name, _run.Cancellation);
            }

            _reporter.Step(Source, $"{(_run.Options.Confirm ? "deleted" : "would delete")} {backup.Name} ({backup.Bytes} bytes)");
        }

        var hint = expired.IsEmpty || _run.Options.Confirm ? "" : "; --confirm deletes them";
        _reporter.Step(Source, $"{expired.Length} of {all.Length} backups are older than {settings.KeepDays} days{hint}");
    }

    /// <summary>The schedule and what it reads, as they should be.</summary>
    internal async Task<ImmutableArray<JsonObject>> ScheduleAsync(BackupSettings settings, CancellationToken cancellationToken)
    {
        var objects = await ObjectsAsync(settings, cancellationToken);
        var writer = await ReadKeyAsync("backup.storage.writer", settings.Storage.Writer, cancellationToken);
        return objects.Schedule(await DatabaseAsync(settings.Database), writer);
    }

    /// <summary>The newest backup; null where there is none.</summary>
    internal async Task<StoredBackup?> NewestAsync(BackupSettings settings, CancellationToken cancellationToken)
    {
        using var store = await OpenStoreAsync(settings);
        return (await store.ListAsync(Prefix(settings), cancellationToken)).FirstOrDefault();
    }

    /// <summary>Makes a backup now.</summary>
    internal async Task<StoredBackup> BackUpAsync(BackupSettings settings, CancellationToken cancellationToken)
    {
        var api = await OpenAsync();
        var objects = await ObjectsAsync(settings, cancellationToken);
        var schedule = await api.GetAsync(new(CronJobType, api.Namespace, objects.Name), cancellationToken)
            ?? throw new K3sException(
                ExitCodes.RequirementMissing,
                $"there is no CronJob {objects.Name} in namespace {api.Namespace}",
                $"Run --target=Harden-Backups --environment={_run.EnvironmentSettings.Name}.");
        var begin = _time.GetUtcNow();
        var job = await api.CreateAsync(BackupObjects.JobOf(JobName(objects), schedule), cancellationToken);
        await FollowAsync(api, ObjectKey.Of(job), begin, "the backup failed", "The backups before it are as they were.", cancellationToken);

        // A second earlier: names have no fractions.
        return await NewestAsync(settings, cancellationToken) is { } stored && stored.Name.MadeAt >= begin.AddSeconds(-1)
            ? stored
            : throw new K3sException(
                ExitCodes.Failed,
                $"the backup Job succeeded, and its backup is not in bucket {settings.Storage.Bucket} under {Prefix(settings)}/",
                "Check that backup.storage.writer and backup.storage.operator are keys of the same bucket.");
    }

    private BackupSettings Settings => _run.EnvironmentSettings.Backup ?? throw new K3sException(
        ExitCodes.BadInput,
        $"environment {_run.EnvironmentSettings.Name} has no 'backup' in deploy.yaml",
        "docs/backups.md shows one.");

    private async Task RestoreAsync(BackupSettings settings, BackupName backup, string database, string? drill)
    {
        if (settings.Identity is not { } source)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"environment {_run.EnvironmentSettings.Name} has no 'identity' under 'backup' in deploy.yaml: without it nothing is decrypted",
                "Name the file, variable or command that holds the age identity (AGE-SECRET-KEY-1…).");
        }

        var cancellationToken = _run.Cancellation;
        var identity = await _secrets.ReadAsync("backup.identity", source, _run.Settings.Root, cancellationToken);
        var reader = await ReadKeyAsync("backup.storage.operator", settings.Storage.Operator, cancellationToken);
        var variables = await DatabaseAsync(database);
        var api = await OpenAsync();
        var objects = await ObjectsAsync(settings, cancellationToken);
        var begin = _time.GetUtcNow();
        var aim = BackupObjects.AimOf(backup, variables, isDrill: drill is not null);

        // The Job of a run that was killed goes on without it, and two of them would be in each other's way.
        var job = await TakeOverAsync(api, aim, cancellationToken)
            ?? await api.CreateAsync(objects.RestoreJob(JobName(objects), aim, backup, variables.Keys, drill), cancellationToken);
        var (key, name) = (ObjectKey.Of(job), job.ObjectName()!);
        try
        {
            await JobRun.ResumeAsync(api, job, objects.RestoreInput(name, variables, reader, identity), cancellationToken);
            await FollowAsync(api, key, begin, $"restoring {backup} failed", drill is null ? "A restore is one transaction: all of it is there, or nothing." : "No database but the drill's own was written to.", cancellationToken);
        }
        finally
        {
            // With it go the identity and the operator's key. Of a run that is killed, the Job's time to live takes them, or the next run.
            await api.DeleteAsync(key, CancellationToken.None);
        }
    }

    /// <summary>The unfinished Job of a run that was killed, if it has the same aim. Those that would hold their keys for good, or a while, are deleted.</summary>
    private static async Task<JsonObject?> TakeOverAsync(ClusterApi api, string aim, CancellationToken cancellationToken)
    {
        JsonObject? unfinished = null;
        var jobs = await api.ListAsync(new("batch", "v1", "Job"), api.Namespace, new() { LabelSelector = BackupObjects.AimLabel }, cancellationToken);
        foreach (var job in jobs.Items.Where(job => !job.IsBeingDeleted()))
        {
            var isFinished = job.IsTrue("Complete") || job.IsTrue("Failed");
            if (!isFinished && job.Text("metadata", "labels", BackupObjects.AimLabel) == aim)
            {
                unfinished = job;
            }
            else if (isFinished || job.Flag("spec", "suspend") == true)
            {
                await api.DeleteAsync(ObjectKey.Of(job), cancellationToken);
            }
        }

        return unfinished;
    }

    private async Task FollowAsync(ClusterApi api, ObjectKey job, DateTimeOffset begin, string failed, string next, CancellationToken cancellationToken)
    {
        var outcome = await _jobs.FollowAsync(api, job, new JobLog(_reporter, Source), new RolloutTerms(begin, Limit) { Patience = Patience }, cancellationToken);
        if (outcome.Succeeded)
        {
            return;
        }

        var directory = Path.Combine(_run.Options.ArtifactsDirectory, "backup", "evidence");
        var evidence = await _evidence.CollectAsync(api, outcome.Failures, directory, cancellationToken);
        var failure = outcome.Failures[0];
        throw new K3sException(ExitCodes.Failed, $"{failed}: {failure with { Verdict = evidence.Refine(failure.Verdict) }}", $"{next} All evidence: {directory}", evidence.Lines);
    }

    private async Task<BackupName> ChooseAsync(BackupSettings settings)
    {
        using var store = await OpenStoreAsync(settings);
        var all = await store.ListAsync(Prefix(settings), _run.Cancellation);
        var chosen = _run.Options.Backup is { } wanted ? all.FirstOrDefault(backup => backup.Name.ToString() == wanted) : all.FirstOrDefault();
        return chosen?.Name ?? throw new K3sException(
            ExitCodes.Failed,
            $"there is no backup {_run.Options.Backup ?? $"under {Prefix(settings)}/"} in bucket {settings.Storage.Bucket}",
            all.IsEmpty ? "--target=Backup makes one." : $"The newest is {all[0].Name}.");
    }

    private string Prefix(BackupSettings settings) => settings.Storage.PrefixOf(_run.Settings.App);

    private string JobName(BackupObjects objects) =>
        $"{objects.Name}-{_time.GetUtcNow().ToString("yyyyMMddHHmmss", CultureInfo.InvariantCulture)}";

    private string Age(BackupName backup) => (_time.GetUtcNow() - backup.MadeAt) switch
    {
        { TotalHours: < 2 } age => $"{age.TotalMinutes:0} minutes",
        { TotalDays: < 2 } age => $"{age.TotalHours:0} hours",
        var age => $"{age.TotalDays:0} days",
    };

    private async Task<ImmutableSortedDictionary<string, string>> DatabaseAsync(string secret)
    {
        var environment = await _run.EnvironmentAsync();
        return DatabaseAddress.ToVariables(secret, environment.SecretNamed(secret));
    }

    private async Task<ClusterApi> OpenAsync() => await _open((await _run.EnvironmentAsync()).Cluster, _run.Cancellation);

    private async Task<BackupObjects> ObjectsAsync(BackupSettings settings, CancellationToken cancellationToken)
    {
        var environment = await _run.EnvironmentAsync();
        return new(_run.Settings.App, environment.Cluster.Namespace, settings, await environment.ReferenceOf(settings.Image, cancellationToken));
    }

    private Task<BackupStore> OpenStoreAsync(BackupSettings settings) => BackupStore.OpenAsync(settings.Storage, _secrets, _run.Settings.Root, _run.Cancellation);

    private Task<StorageKey> ReadKeyAsync(string name, StorageKeySettings key, CancellationToken cancellationToken) =>
        StorageKey.ReadAsync(_secrets, name, key, _run.Settings.Root, cancellationToken);
}
