using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Backups;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Kubernetes.Backups;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The objects of the schedule, cut off everywhere. The backups themselves have their test beside the deploys.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class BackupsControlTests
{
    [Test]
    public async Task Should_converge_and_undo_when_killed_at_any_change()
    {
        await using var host = await ApiHost.StartAsync();
        await using var bucket = await StandInBucket.StartAsync(IPAddress.Loopback);
        using var api = host.Open();
        using var keys = new TemporaryDirectory();
        var backup = bucket.Settings(keys.Path);
        await api.CreateAsync(JsonNode.Parse("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}""")!.AsObject(), default);
        bucket.Objects[new BackupName("shop", DateTimeOffset.UtcNow).ToString()] = [1];

        await Interruption.EachChangeAsync(host, connection => Control(connection, backup), async () =>
        {
            GroupVersionKind[] kinds = [new("", "v1", "ConfigMap"), new("", "v1", "Secret"), new("batch", "v1", "CronJob"), new("networking.k8s.io", "v1", "NetworkPolicy")];
            var found = await Task.WhenAll(kinds.Select(kind => api.ListAsync(kind, "shop", null, default)));
            return string.Join(' ', found.SelectMany(list => list.Items).Select(item => item.ObjectName()!).Where(name => !name.Contains("journal", StringComparison.Ordinal)));
        });
    }

    private static BackupsControl Control(ClusterApi api, BackupSettings backup)
    {
        var run = ControlStage.Run(api, new(), change: environment => environment with
        {
            Settings = environment.Settings with { Backup = backup },
            Secrets = ImmutableDictionary<string, Secret>.Empty.Add("DATABASE_URL", new("postgres://ann:one@db.example.com/shop")),
        });
        var secrets = new SecretReader(EnvironmentVariables.OfProcess, new CommandRunner(new SecretMask(), TimeProvider.System), new SecretMask());
        var backups = new DatabaseBackups(run, null!, secrets, null!, null!, new RecordingReporter(), TimeProvider.System);
        return new(new(run, (_, _) => Task.FromResult(api), TimeProvider.System), backups, TimeProvider.System);
    }
}
