using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>Backups of the cluster itself: each server ships snapshots of etcd and the token that opens them, encrypted, to the bucket of the database's backups.</summary>
public sealed class EtcdBackups
{
    /// <summary>The control that puts them in place.</summary>
    internal const string Control = "EtcdBackups";

    /// <summary>The unit on a server that makes one.</summary>
    internal const string Unit = "cake-k3s-etcd-backup";

    /// <summary>The file on a server that has the name of the last one that was stored.</summary>
    internal const string LastName = "/run/" + Unit;

    private const string Source = "backup";
    private readonly PipelineRun _run;
    private readonly NodeFleet _fleet;
    private readonly SecretReader _secrets;
    private readonly IReporter _reporter;

    internal EtcdBackups(PipelineRun run, NodeFleet fleet, SecretReader secrets, IReporter reporter)
    {
        _run = run;
        _fleet = fleet;
        _secrets = secrets;
        _reporter = reporter;
    }

    /// <summary>Lets each server of deploy.yaml's nodes that runs etcd ship a snapshot now, and finds it in the bucket.</summary>
    /// <exception cref="K3sException">A server does not ship them yet (exit code 5), cannot be reached, or what it stored is not there.</exception>
    public async Task BackUpAsync()
    {
        foreach (var node in _fleet.Nodes)
        {
            var facts = await node.FactsAsync(_run.Cancellation);
            if (!HasEtcd(facts))
            {
                continue;
            }

            if (!facts.Applied.Contains(Control))
            {
                throw new K3sException(
                    ExitCodes.RequirementMissing,
                    $"node {node.Name} ships no snapshots of etcd yet; the database was backed up",
                    $"Run --target=Harden-{Control} --environment={_run.EnvironmentSettings.Name}.");
            }

            var stored = await BackUpAsync(node, _run.Cancellation);
            _reporter.Step(Source, $"{node.Name}: snapshot of etcd and the token: {stored.Name}, {stored.Bytes} bytes");
        }
    }

    /// <summary>Whether the node is a server with an etcd of its own, by the facts of the control.</summary>
    internal static bool HasEtcd(NodeFacts facts) => facts.Value(Control, "etcd") == "yes";

    /// <summary>What stands before the names of what a server ships.</summary>
    internal static string PrefixOf(DeploySettings settings, BackupSettings backup, string host) =>
        $"{backup.Storage.PrefixOf(settings.App)}/etcd/{host}";

    /// <summary>Lets a server ship a snapshot now, as its timer does.</summary>
    /// <exception cref="K3sException">It does not, or what it stored is not in the bucket.</exception>
    internal async Task<StoredBackup> BackUpAsync(Node node, CancellationToken cancellationToken)
    {
        var output = await node.RunAsync(
            "ship a snapshot of etcd",
            $"""
            set -eu
            rm -f {LastName}
            systemctl start {Unit}.service || {"{"} journalctl -q -n 5 -o cat -u {Unit} >&2; exit 1; {"}"}
            cat {LastName}
            """,
            cancellationToken);
        var name = output.Trim();
        return (await ListAsync(cancellationToken)).FirstOrDefault(stored => stored.Name.ToString() == name) ?? throw new K3sException(
            ExitCodes.Failed,
            $"node {node.Name} stored {name}, and it is not in bucket {_run.EnvironmentSettings.Backup!.Storage.Bucket}",
            "Check that backup.storage.writer and backup.storage.operator are keys of the same bucket.");
    }

    /// <summary>What all servers have shipped, the newest first.</summary>
    /// <exception cref="K3sException">The bucket cannot be read.</exception>
    internal async Task<ImmutableArray<StoredBackup>> ListAsync(CancellationToken cancellationToken)
    {
        var backup = _run.EnvironmentSettings.Backup!;
        using var store = await BackupStore.OpenAsync(backup.Storage, _secrets, _run.Settings.Root, cancellationToken);
        return await store.ListBelowAsync($"{backup.Storage.PrefixOf(_run.Settings.App)}/etcd", cancellationToken);
    }
}
