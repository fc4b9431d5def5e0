using System.Net;
using Cake.K3s.Hardening.Nodes.EtcdBackups;
using Cake.K3s.Hosting;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.IntegrationTests.Kubernetes.Backups;
using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Snapshots of etcd and the token, shipped by servers of the bed: systemd, age and curl are real, K3s and the bucket stand-ins.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class EtcdBackupsTests
{
    private static readonly HardeningSettings Hardening = new() { UndoAfter = Duration.FromMinutes(2) };

    [Test]
    public async Task Should_bring_the_Secrets_back_on_a_new_server_When_all_of_the_old_one_is_gone()
    {
        var (lost, bucket, backup, keys) = await ServerAsync();
        using var _ = keys;
        await using var __ = bucket;
        await RemoveAgeAsync(lost);
        var cycle = new ControlCycle([lost], Hardening, someone => Control(someone), "/etc", "/usr/local/sbin") { Backup = backup };
        await cycle.RunAsync(async () =>
        {
            Assert.That(await lost.RunAsync("ls -A /var/lib/rancher/k3s/server/db/snapshots; ls -d /var/lib/cake-k3s-etcd 2>/dev/null || true"), Is.Empty, "nothing readable stays behind");
            var stored = bucket.Objects.Single(item => item.Key.StartsWith($"app/etcd/{lost.Name}/", StringComparison.Ordinal)).Value;
            Assert.That(System.Text.Encoding.Latin1.GetString(stored), Does.StartWith("age-encryption.org/v1").And.Not.Contain("canary"));

            // As docs/backups.md says.
            var rescued = await SharedBed.Bed.AddNodeAsync();
            await K3sStandIn.InstallAsync(rescued);
            await rescued.RunAsync("systemctl stop k3s; rm -rf /var/lib/rancher/k3s/server/db; mkdir /root/cluster");
            await File.WriteAllBytesAsync(rescued.PathOf("/root/cluster.tar"), await DecryptAsync(stored));
            Assert.That(await rescued.RunAsync("cd /root/cluster; tar xf ../cluster.tar; k3s server --cluster-reset --cluster-reset-restore-path=$(ls cake-k3s-off-site-*) --token=wrong 2>&1", 1), Does.Contain("different token"));
            await rescued.RunAsync("cd /root/cluster; k3s server --cluster-reset --cluster-reset-restore-path=$(ls cake-k3s-off-site-*) \"--token=$(cat token)\"; systemctl start k3s");
            Assert.That(await rescued.RunAsync($"cat /srv/stand-in-etcd/{rescued.Name}/registry/secrets/canary"), Does.Contain("tweet"));
            Assert.That(await rescued.RunAsync("cat /root/cluster/k3s/config.yaml /root/cluster/version"), Does.Contain("write-kubeconfig-mode").And.Contain("v1.34.6+k3s1"));
        });
        Assert.That(bucket.Objects, Is.Not.Empty, "what was shipped outlives the undo");
        await lost.RunAsync("! dpkg -s age 2>/dev/null");
    }

    [Test]
    public async Task Should_ship_after_a_rerun_When_the_bucket_fails_and_the_program_is_killed()
    {
        var (server, bucket, backup, keys) = await ServerAsync();
        using var _ = keys;
        await using var __ = bucket;
        using var someone = new Operator([server], Hardening, backup: backup);
        await Control(someone).ApplyAsync(default);
        var backups = Backups(someone.Run, someone.Fleet);
        Task<StoredBackup> ShipAsync() => backups.BackUpAsync(someone.Fleet.Nodes[0], default);

        await server.RunAsync("sed -i 's/--retry 5/--retry 0/' /usr/local/sbin/cake-k3s-etcd-backup");
        bucket.Faults = 1;
        Assert.That(ShipAsync, Throws.TypeOf<NodeException>().With.Message.Contains("503"));
        Assert.That(await server.RunAsync("ls -A /var/lib/rancher/k3s/server/db/snapshots"), Is.Empty);

        // Killed after the snapshot was taken and before it is encrypted.
        await server.RunAsync("""
            printf '#!/bin/sh\nkill -9 $PPID\n' >/usr/local/bin/age
            chmod 755 /usr/local/bin/age
            systemctl start cake-k3s-etcd-backup 2>/dev/null && exit 1
            rm /usr/local/bin/age
            [ -n "$(ls -A /var/lib/rancher/k3s/server/db/snapshots)" ]
            """);
        Assert.That(bucket.Objects, Is.Empty);

        var stored = await ShipAsync();
        Assert.That(bucket.Objects.Keys, Is.EqualTo(new[] { stored.Name.ToString() }));
        Assert.That(await server.RunAsync("ls -A /var/lib/rancher/k3s/server/db/snapshots; ls -d /var/lib/cake-k3s-etcd 2>/dev/null || true"), Is.Empty);
    }

    /// <summary>A server as providers have it: without age, and with an archive that apt has not asked yet. It is of the node's own, as no mirror can be had in the bed.</summary>
    private static Task<string> RemoveAgeAsync(BedNode server) => server.RunAsync("""
        mkdir -p /srv/apt/age/DEBIAN
        cd /srv/apt
        dpkg -L age | while read -r file; do if [ -f "$file" ]; then cp --parents "$file" age; fi; done
        dpkg -s age | grep -v ^Status: >age/DEBIAN/control
        dpkg-deb --build age age.deb >/dev/null
        { cat age/DEBIAN/control; echo Filename: ./age.deb; echo "Size: $(stat -c %s age.deb)"; echo "SHA256: $(sha256sum age.deb | cut -d ' ' -f 1)"; } >Packages
        rm -rf /etc/apt/sources.list.d/* /var/lib/apt/lists/*
        echo 'deb [trusted=yes] file:/srv/apt ./' >/etc/apt/sources.list
        dpkg --purge age >/dev/null 2>&1
        [ ! -e /usr/bin/age ]
        """);

    private static EtcdBackupsControl Control(Operator someone) =>
        someone.Use((run, fleet) => new EtcdBackupsControl(run, fleet, Backups(run, fleet), Secrets, TimeProvider.System));

    private static EtcdBackups Backups(PipelineRun run, NodeFleet fleet) => new(run, fleet, Secrets, new RecordingReporter());

    private static SecretReader Secrets { get; } = new(EnvironmentVariables.OfProcess, ExternalTools.Commands, new SecretMask());

    private static async Task<(BedNode Server, StandInBucket Bucket, BackupSettings Backup, TemporaryDirectory Keys)> ServerAsync()
    {
        var server = await SharedBed.Bed.AddNodeAsync();
        await K3sStandIn.InstallAsync(server);
        await server.RunAsync("k3s kubectl create secret generic canary --from-literal=sings=tweet");
        var bucket = await StandInBucket.StartAsync(IPAddress.Parse(SharedBed.Bed.OperatorAddress));
        var keys = new TemporaryDirectory();
        return (server, bucket, bucket.Settings(keys.Path), keys);
    }

    private static async Task<byte[]> DecryptAsync(byte[] stored)
    {
        var age = await ExternalTools.RequireAsync(ToolName.Age);
        using var directory = new TemporaryDirectory();
        await File.WriteAllBytesAsync(directory.File("cluster.tar.age"), stored);
        var command = new Command(age.Path, "--decrypt", "--identity", directory.Write("identity", BackupKeys.Identity), "--output", directory.File("cluster.tar"), directory.File("cluster.tar.age"));
        await ExternalTools.Commands.RunAsync(command with { Environment = age.Environment }, default);
        return await File.ReadAllBytesAsync(directory.File("cluster.tar"));
    }
}
