using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Nodes.SecretsEncryption;
using Cake.K3s.NodeBed;
using Cake.K3s.Reporting;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Encrypting the Secrets of three servers that run; K3s itself is a stand-in that keeps its documented states.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class SecretsEncryptionTests
{
    private const int Secrets = 5;

    [Test]
    public async Task Should_encrypt_every_secret_and_decrypt_them_again_When_applied_and_undone()
    {
        var servers = await ServersAsync("whole");
        using (var someone = new Operator(servers))
        {
            var control = Make(someone);
            Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That((await control.VerifyAsync(default)).Select(finding => finding.Summary), Is.All.EqualTo("a new Secret is readable in etcd"));
            Assert.That(await control.ApplyAsync(default), Has.Length.EqualTo(3));

            var copied = Directory.GetFiles(someone.Run.Options.ArtifactsDirectory, "*", SearchOption.AllDirectories);
            Assert.That(copied.Select(Path.GetFileName), Is.EquivalentTo(new[] { "snapshot", "token" }));
            Assert.That(copied.Select(file => new FileInfo(file)), Is.All.Matches<FileInfo>(file => file.Length > 0 && file.UnixFileMode == (UnixFileMode.UserRead | UnixFileMode.UserWrite)));
        }

        await EncryptedAsync(servers);
        using (var someone = new Operator(servers))
        {
            var control = Make(someone);
            Assert.That(await control.ApplyAsync(default), Is.Empty);
            Assert.That(await control.UndoAsync(default), Is.Not.Empty);
            Assert.That(await servers[0].RunAsync("grep -l k8s:enc: /srv/stand-in-etcd/whole/registry/secrets/* || true"), Is.Empty);
            Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That(await control.UndoAsync(default), Is.Empty);
        }
    }

    // A run has about sixty commands. All of them take minutes; these are amid the restarts and the rotation.
    [Test]
    public Task Should_go_on_where_it_was_and_lose_no_secret_When_cut_off() => CutOffAsync("cut", [9, 20, 40]);

    [Test]
    [Explicit("takes minutes; run after a change of the order")]
    public Task Should_go_on_where_it_was_and_lose_no_secret_When_cut_off_at_any_command() => CutOffAsync("everywhere", Enumerable.Range(1, 80));

    private static async Task CutOffAsync(string cluster, IEnumerable<int> commands)
    {
        var servers = await ServersAsync(cluster);
        var runs = 0;
        foreach (var command in commands)
        {
            CutOffRunner? cut = null;
            using (var someone = new Operator(servers, runner: real => cut = new CutOffRunner(real, command, whenDone: command % 2 == 1, () => Task.CompletedTask)))
            {
                try
                {
                    await Make(someone).ApplyAsync(default);
                }
                catch (KilledException)
                {
                    // As it must be.
                }
            }

            if (!cut!.HasStruck)
            {
                break;
            }

            runs++;
            using var next = new Operator(servers);
            await Make(next).ApplyAsync(default);
            await EncryptedAsync(servers);
            await Make(next).UndoAsync(default);
        }

        TestContext.Progress.WriteLine($"SecretsEncryption: {runs} runs cut off, 0 Secrets lost");
        Assert.That(runs, Is.GreaterThanOrEqualTo(3));
    }

    // Runs that are cut off and begun again restart it sooner than systemd allows by itself.
    [Test]
    public async Task Should_restart_K3s_however_often_it_was_restarted_just_now()
    {
        var server = (await ServersAsync("restarts"))[0];

        Assert.That(await server.RunAsync($"for restart in 1 2 3 4 5 6 7 8\ndo\n{K3sServer.Restart}\ndone\nsystemctl is-active k3s"), Does.Contain("active"));
    }

    [Test]
    public async Task Should_change_nothing_When_a_server_is_too_old()
    {
        var servers = await SharedBed.Bed.AddNodesAsync(2);
        await K3sStandIn.InstallAsync(servers[0], "old");
        await K3sStandIn.InstallAsync(servers[1], "old", "v1.34.5+k3s2");
        using var someone = new Operator(servers);

        Assert.That(
            async () => await Make(someone).ApplyAsync(default),
            Throws.InstanceOf<K3sException>().With.Message.Contains("v1.34.5+k3s2"));
        Assert.That(await servers[0].RunAsync("ls /var/lib/rancher/k3s/server/cred 2>/dev/null || true"), Is.Empty);
    }

    [Test]
    public async Task Should_make_no_key_When_the_servers_do_not_agree()
    {
        var servers = await ServersAsync("apart");
        await servers[1].RunAsync("sed -i 's/if flag == \"true\" and common:/if False:/' /usr/local/bin/k3s-stand-in");
        using var someone = new Operator(servers);

        Assert.That(
            async () => await Make(someone).ApplyAsync(default),
            Throws.InstanceOf<K3sException>().With.Message.Contains("no key is made").And.Message.Contains("hashes differ"));
        Assert.That(await servers[0].RunAsync("k3s secrets-encrypt status"), Does.Contain("Disabled").And.Not.Contain("AES"));
    }

    private static IControl Make(Operator someone) => someone.Use((run, fleet) => new SecretsEncryptionControl(run, fleet, new Silent(), TimeProvider.System));

    private static async Task<BedNode[]> ServersAsync(string cluster)
    {
        var servers = await SharedBed.Bed.AddNodesAsync(3);
        await Task.WhenAll(servers.Select(server => K3sStandIn.InstallAsync(server, cluster)));
        for (var number = 0; number < Secrets; number++)
        {
            await servers[0].RunAsync($"k3s kubectl create secret generic s{number} -n app --from-literal=value=readable-{number}");
        }

        return servers;
    }

    // Decrypted by a server that starts anew: the stand-in ends where it has no key for one of them.
    private static async Task EncryptedAsync(BedNode[] servers)
    {
        using var someone = new Operator(servers);
        var control = Make(someone);
        Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
        var proved = await control.VerifyAsync(default);
        Assert.That(proved.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace), string.Join('\n', proved));
        Assert.That(await servers[0].RunAsync("cd /srv/stand-in-etcd/$(cat /etc/rancher/stand-in-cluster)/registry/secrets; grep -L k8s:enc:aescbc:v1: *; grep -l readable * || true"), Is.Empty);
        foreach (var server in servers)
        {
            await server.RunAsync("systemctl restart k3s");
        }
    }

    private sealed class Silent : IReporter
    {
        public void Report(RunEvent runEvent)
        {
        }
    }
}
