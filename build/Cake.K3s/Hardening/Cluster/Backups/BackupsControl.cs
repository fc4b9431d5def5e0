using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.Backups;

/// <summary>The database is backed up on a schedule, and the newest backup is not old.</summary>
[ProvedBy("Postgres, pg_dump and age in the sandbox", "the bucket: an S3 server of the tests")]
internal sealed class BackupsControl(ControlCluster cluster, DatabaseBackups backups, TimeProvider time) : IControl
{
    /// <inheritdoc/>
    public string Name => "Backups";

    /// <inheritdoc/>
    public string Protects => "A lost or spoiled database comes back from another provider, encrypted on the way and at rest.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Cluster;

    private BackupSettings? Settings => cluster.EnvironmentSettings.Backup;

    private ImmutableArray<Finding> NotConfigured =>
        [new(Name, cluster.EnvironmentSettings.Name, ControlState.Missing, "deploy.yaml has no 'backup' for this environment", [])];

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return NotConfigured;
        }

        var objects = await cluster.ObjectsAsync(Name, cancellationToken);
        var findings = await objects.AuditAsync(await backups.ScheduleAsync(settings, cancellationToken), cancellationToken);
        return findings.Add(Judge(settings, await backups.NewestAsync(settings, cancellationToken), time.GetUtcNow()));
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) => Settings is { } settings
        ? await (await cluster.ObjectsAsync(Name, cancellationToken)).PlanAsync(await backups.ScheduleAsync(settings, cancellationToken), cancellationToken)
        : [];

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken) => Settings is { } settings
        ? await (await cluster.ObjectsAsync(Name, cancellationToken)).ApplyAsync(await backups.ScheduleAsync(settings, cancellationToken), cancellationToken)
        : [];

    /// <summary>Makes a backup now and finds it in the bucket.</summary>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken) => Settings is { } settings
        ? [Judge(settings, await backups.BackUpAsync(settings, cancellationToken), time.GetUtcNow())]
        : NotConfigured;

    /// <summary>Takes the schedule back; backups that were made stay where they are.</summary>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) =>
        await (await cluster.ObjectsAsync(Name, cancellationToken)).UndoAsync(cancellationToken);

    /// <summary>How the newest backup stands.</summary>
    internal Finding Judge(BackupSettings settings, StoredBackup? newest, DateTimeOffset now)
    {
        if (newest is null)
        {
            return new(Name, settings.Storage.Bucket, ControlState.Missing, "there is no backup yet; --target=Backup makes one", []);
        }

        var age = now - newest.Name.MadeAt;
        var hours = age.TotalHours.ToString("0.#", CultureInfo.InvariantCulture);
        return age > settings.MaximumAge.Value
            ? new(Name, settings.Storage.Bucket, ControlState.Drifted, $"the newest backup is {hours} hours old; look at the CronJob's last Jobs", [newest.Name.ToString()])
            : new(Name, settings.Storage.Bucket, ControlState.InPlace, $"the newest backup is {hours} hours old, {newest.Bytes} bytes", [newest.Name.ToString()]);
    }
}
