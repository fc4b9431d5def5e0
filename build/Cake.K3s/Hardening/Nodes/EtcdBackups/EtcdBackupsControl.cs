using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Nodes.Files;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Nodes.EtcdBackups;

/// <summary>
/// Each server ships a snapshot of etcd and the cluster's token twice a day. K3s' own upload (<c>etcd-s3</c>) is not used: it does not
/// encrypt, ships no token, and asks for a key that lists and deletes.
/// </summary>
[ProvedBy("test nodes with systemd, age and curl", "K3s: a stand-in for its commands; the bucket: an S3 server of the tests")]
internal sealed class EtcdBackupsControl(
    PipelineRun run, NodeFleet fleet, Operations.Backups.EtcdBackups backups, SecretReader secrets, TimeProvider time) : FilesControl(run, fleet)
{
    private const string Unit = Operations.Backups.EtcdBackups.Unit;
    private const string Service = $"/etc/systemd/system/{Unit}.service";
    private const string Timer = $"/etc/systemd/system/{Unit}.timer";
    private const string Program = "/usr/local/sbin/" + Unit;
    private const string Scratch = "/var/lib/cake-k3s-etcd";

    // The package's name stands in here while it is one that this control installed.
    private const string Installed = $"{ChangeScripts.Root}/{Operations.Backups.EtcdBackups.Control}.installed";

    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(30);
    private readonly PipelineRun _run = run;
    private readonly NodeFleet _fleet = fleet;
    private StorageKey? _writer;

    /// <inheritdoc/>
    public override string Name => Operations.Backups.EtcdBackups.Control;

    /// <inheritdoc/>
    public override string Protects => "A cluster whose servers are lost, or whose etcd is spoiled, is built anew from another provider's storage.";

    /// <inheritdoc/>
    protected override bool IsRisky => false;

    /// <inheritdoc/>
    protected override string Description => "ship a snapshot of etcd and the cluster's token, encrypted, twice a day";

    /// <inheritdoc/>
    protected override string InPlace => "snapshots of etcd and the token are shipped twice a day";

    /// <inheritdoc/>
    protected override ImmutableArray<NodeFile> Wanted =>
    [
        new(Program, BackupScripts.Read("etcd-backup.sh"), "700"),
        new("/etc/cake-k3s/etcd-backup.curl", Environment.Backup is { } backup ? _writer?.ToCurlConfiguration(backup.Storage.Region) : null, "600"),
        new(Service, $"""
            # Made by Cake.K3s.
            [Unit]
            Description=Ship a snapshot of etcd and the cluster's token, encrypted
            Wants=network-online.target
            After=network-online.target k3s.service
            [Service]
            Type=oneshot
            Environment=BACKUP_BUCKET={Environment.Backup?.Storage.Endpoint}/{Environment.Backup?.Storage.Bucket}
            Environment=BACKUP_PREFIX={Environment.Backup?.Storage.PrefixOf(_run.Settings.App)}
            Environment=BACKUP_RECIPIENT={Environment.Backup?.Recipient}
            ExecStart={Program}
            TimeoutStartSec=30min
            TimeoutStopSec=10s
            Nice=10

            """),
        new(Timer, """
            # Made by Cake.K3s.
            [Unit]
            Description=Ship a snapshot of etcd twice a day
            [Timer]
            OnCalendar=*-*-* 03,15:17:00 UTC
            RandomizedDelaySec=10min
            Persistent=true
            [Install]
            WantedBy=timers.target

            """),
    ];

    /// <inheritdoc/>
    protected override ImmutableArray<string> Touches => [$"/etc/systemd/system/timers.target.wants/{Unit}.timer"];

    /// <inheritdoc/>
    protected override string OtherFacts => $"""
        {K3sServer.Facts}
        [ -d /var/lib/rancher/k3s/server/db/etcd ] && echo etcd=yes
        printf 'host=%s\n' "$(hostname)"
        [ -x /usr/bin/age ] && [ -x /usr/bin/curl ] && echo installed=yes
        [ -e {Timer} ] && systemctl -q is-enabled {Unit}.timer && systemctl -q is-active {Unit}.timer && echo timer=yes
        """;

    /// <inheritdoc/>
    protected override string Activate => $"""
        if [ ! -x /usr/bin/age ] || [ ! -x /usr/bin/curl ]; then
            [ -x /usr/bin/age ] || echo age >{Installed}
            {AptPackages.Install("age curl", LockWait)}
        fi
        systemctl daemon-reload
        systemctl -q enable --now {Unit}.timer
        """;

    /// <inheritdoc/>
    protected override string Restore => $"""
        if [ -e {Timer} ]; then
            systemctl daemon-reload
            systemctl restart {Unit}.timer || :
        else
            systemctl stop {Unit}.timer {Unit}.service 2>/dev/null || :
            systemctl daemon-reload
            rm -rf {Scratch} {Operations.Backups.EtcdBackups.LastName} /var/lib/systemd/timers/stamp-{Unit}.timer
            if [ -e {Installed} ]; then
                {AptPackages.Purge("age", LockWait)}
                rm -f {Installed}
            fi
        fi
        """;

    /// <inheritdoc/>
    protected override string? NotApplicable(NodeFacts facts) =>
        Environment.Backup is null ? "deploy.yaml has no 'backup' for this environment"
        : !Operations.Backups.EtcdBackups.HasEtcd(facts) ? "the node runs no etcd of K3s"
        : null;

    /// <inheritdoc/>
    protected override string? NotEffective(NodeFacts facts) =>
        facts.Value(Name, "installed") != "yes" ? "age or curl is not installed"
        : facts.Value(Name, "timer") != "yes" ? $"{Unit}.timer does not run"
        : null;

    /// <inheritdoc/>
    protected override async Task PrepareAsync(bool changes, CancellationToken cancellationToken)
    {
        if (Environment.Backup is { } backup)
        {
            _writer ??= await StorageKey.ReadAsync(secrets, "backup.storage.writer", backup.Storage.Writer, _run.Settings.Root, cancellationToken);
        }
    }

    /// <summary>How each server stands, and how old the newest snapshot is that it has shipped.</summary>
    public override async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        var findings = await base.AuditAsync(cancellationToken);
        if (findings.All(finding => finding.State != ControlState.InPlace))
        {
            return findings;
        }

        var (shipped, backup) = (await backups.ListAsync(cancellationToken), Environment.Backup!);
        var hosts = _fleet.Nodes.ToImmutableDictionary(node => node.Name, StringComparer.Ordinal);
        return
        [
            .. await Task.WhenAll(findings.Select(async finding =>
            {
                if (finding.State != ControlState.InPlace)
                {
                    return finding;
                }

                var host = (await hosts[finding.Target].FactsAsync(cancellationToken)).Value(Name, "host");
                var prefix = Operations.Backups.EtcdBackups.PrefixOf(_run.Settings, backup, host);
                return Judge(finding, shipped.FirstOrDefault(stored => stored.Name.Prefix == prefix), backup.MaximumAge.Value, time.GetUtcNow());
            })),
        ];
    }

    /// <inheritdoc/>
    protected override async Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken)
    {
        var stored = await backups.BackUpAsync(node, cancellationToken);
        return new NodeVerdict(ControlState.InPlace, $"a snapshot of etcd and the token were shipped and are in the bucket, {stored.Bytes} bytes", [stored.Name.ToString()]);
    }

    /// <summary>A finding of a server in place, with the age of the newest that it shipped.</summary>
    internal static Finding Judge(Finding finding, StoredBackup? newest, TimeSpan maximumAge, DateTimeOffset now)
    {
        if (newest is null)
        {
            return finding with { State = ControlState.Missing, Summary = "no snapshot of etcd was shipped yet; --target=Backup ships one" };
        }

        var age = now - newest.Name.MadeAt;
        var hours = age.TotalHours.ToString("0.#", CultureInfo.InvariantCulture);
        return age > maximumAge
            ? finding with { State = ControlState.Drifted, Summary = $"the newest snapshot of etcd is {hours} hours old; look at journalctl -u {Unit}", Evidence = [newest.Name.ToString()] }
            : finding with { Summary = $"the newest snapshot of etcd is {hours} hours old, {newest.Bytes} bytes", Evidence = [newest.Name.ToString()] };
    }
}
