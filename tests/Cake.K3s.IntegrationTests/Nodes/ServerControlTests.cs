using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.AuditLog;
using Cake.K3s.Hardening.Nodes.KernelDefaults;
using Cake.K3s.Hardening.Nodes.PodSecurity;
using Cake.K3s.Hardening.Nodes.UnattendedUpgrades;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Controls that are files and the services that read them; K3s itself is a stand-in.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ServerControlTests
{
    // The first one reads the facts.
    private const int ChangeIsCommand = 2;

    private static readonly HardeningSettings Hardening = new() { UndoAfter = Duration.FromMinutes(2) };

    [Test]
    public async Task Should_take_security_updates_alone_and_keep_foreign_routes_When_UnattendedUpgrades_is_applied()
    {
        var node = await SharedBed.Bed.AddNodeAsync();
        await node.RunAsync("systemctl unmask apt-daily.timer apt-daily-upgrade.timer; systemctl enable apt-daily.timer apt-daily-upgrade.timer");
        const string Route = "ip route replace 10.42.7.0/24 dev lo proto 77; systemctl restart systemd-networkd; ip route show 10.42.7.0/24";
        await Cycle(node, (run, fleet) => new UnattendedUpgradesControl(run, fleet), "/etc/apt/apt.conf.d", "/etc/needrestart", "/etc/systemd").RunAsync(async () =>
            Assert.That(await node.RunAsync(Route), Does.Contain("10.42.7.0/24")));
    }

    [Test]
    public async Task Should_set_the_kernel_and_keep_k3s_running_When_KernelDefaults_is_applied()
    {
        var node = await ServerAsync();
        await Cycle(node, (run, fleet) => new KernelDefaultsControl(run, fleet), "/etc").RunAsync(async () =>
        {
            await node.RunAsync("sysctl -q kernel.panic=0");
            Assert.That(await node.RunAsync("systemctl restart k3s 2>&1; journalctl -q -n 20 -o cat -u k3s", 1), Does.Contain("invalid kernel flag"), "a kernel that is set otherwise");
            await node.RunAsync("sysctl -q kernel.panic=10; systemctl restart k3s");
        });
        Assert.That(await node.RunAsync("sysctl -n kernel.panic vm.overcommit_memory; systemctl is-active k3s"), Is.EqualTo("1\n0\nactive").Or.EqualTo("0\n0\nactive"));
    }

    [Test]
    public async Task Should_write_down_requests_When_AuditLog_is_applied()
    {
        var node = await ServerAsync();
        await Cycle(node, (run, fleet) => new AuditLogControl(run, fleet), "/etc").RunAsync(async () =>
            Assert.That(await node.RunAsync("k3s kubectl get --raw /version?mark=seen >/dev/null; cat /var/lib/rancher/k3s/server/logs/audit.log"), Does.Contain("mark=seen")));
        Assert.That(await node.RunAsync("ls /var/lib/rancher/k3s/server"), Does.Not.Contain("audit.yaml"));
    }

    [Test]
    public async Task Should_refuse_a_privileged_pod_When_PodSecurity_is_applied()
    {
        var node = await ServerAsync();
        const string Pod = """
            echo '{"metadata": {"name": "p"}, "spec": {"containers": [{"securityContext": {"privileged": true}}]}}' | k3s kubectl create --dry-run=server -f - 2>&1
            """;
        Assert.That(await node.RunAsync(Pod), Is.EqualTo("pod/p"));
        await Cycle(node, (run, fleet) => new PodSecurityControl(run, fleet), "/etc").RunAsync(async () =>
            Assert.That(await node.RunAsync(Pod, 1), Does.Contain("violates PodSecurity")));
        Assert.That(await node.RunAsync(Pod), Is.EqualTo("pod/p"));
        Assert.That(await node.RunAsync("ls /var/lib/rancher/k3s/server"), Does.Not.Contain("psa.yaml"));
    }

    [Test]
    public async Task Should_not_concern_a_node_When_it_is_no_server()
    {
        var node = await SharedBed.Bed.AddNodeAsync();
        using var someone = new Operator([node], Hardening);
        var control = someone.Use((run, fleet) => new AuditLogControl(run, fleet));

        Assert.That((await control.AuditAsync(default))[0].State, Is.EqualTo(ControlState.NotApplicable));
        Assert.That(await control.ApplyAsync(default), Is.Empty);
    }

    // Cut off after its change, and from the others: its API does not become ready, and a restart that waits for that takes two minutes.
    [Test]
    public async Task Should_take_the_change_back_without_waiting_for_the_others_When_a_server_is_cut_off_from_them()
    {
        var server = await ServerAsync();
        var other = $"/srv/stand-in-etcd/{server.Name}/servers/gone";
        Func<Hosting.PipelineRun, Cake.K3s.Nodes.NodeFleet, IControl>[] controls =
            [(run, fleet) => new KernelDefaultsControl(run, fleet), (run, fleet) => new AuditLogControl(run, fleet), (run, fleet) => new PodSecurityControl(run, fleet)];
        foreach (var make in controls)
        {
            var before = await server.StateOfAsync("/etc");
            using (var someone = new Operator(
                [server],
                new HardeningSettings { UndoAfter = new Duration(TimeSpan.FromSeconds(10)) },
                runner: real => new CutOffRunner(real, ChangeIsCommand, whenDone: true, () => server.RunAsync($"[ -e /var/lib/cake-k3s/armed ] && mkdir {other}"))))
            {
                Assert.That(() => someone.Use(make).ApplyAsync(default), Throws.TypeOf<KilledException>());
            }

            Assert.That(await server.RunAsync("timeout 55 sh -c 'while [ -e /var/lib/cake-k3s/armed ]; do sleep 0.1; done' || echo armed"), Is.Empty);
            Assert.That(await server.StateOfAsync("/etc"), Is.EqualTo(before));
            await server.RunAsync($"rmdir {other}; until k3s kubectl get --raw /readyz; do sleep 0.2; done");
        }
    }

    [TestCase("mount --bind /etc /etc; mount -o remount,ro,bind /etc", "Read-only", TestName = "Should_say_so_and_change_nothing_When_etc_is_read_only")]
    [TestCase("dd if=/dev/zero of=/var/fill bs=1M 2>/dev/null || true", "No space", TestName = "Should_say_so_and_change_nothing_When_the_disk_is_full")]
    public async Task Fault(string fault, string said)
    {
        var node = await SharedBed.Bed.AddNodeAsync("64m");
        await node.RunAsync("ufw allow 22; ufw allow 2377");
        var before = await node.StateOfAsync("/etc");
        await node.RunAsync(fault);
        using var someone = new Operator([node], Hardening);
        var control = someone.Use((run, fleet) => new KernelDefaultsControl(run, fleet));

        var failure = Assert.ThrowsAsync<Cake.K3s.Nodes.NodeException>(async () => await control.ApplyAsync(default));
        TestContext.Out.WriteLine(failure);
        Assert.That(failure.Message + string.Join('\n', failure.Details), Does.Contain(said));
        await node.RunAsync("rm -f /var/fill; umount /etc 2>/dev/null || true");
        Assert.That(await node.StateOfAsync("/etc"), Is.EqualTo(before));
        Assert.That(await control.ApplyAsync(default), Is.Not.Empty, "a rerun finishes");
    }

    private static async Task<BedNode> ServerAsync()
    {
        var node = await SharedBed.Bed.AddNodeAsync();
        await K3sStandIn.InstallAsync(node);
        return node;
    }

    private static ControlCycle Cycle<T>(BedNode node, Func<Hosting.PipelineRun, Cake.K3s.Nodes.NodeFleet, T> make, params string[] directories)
        where T : IControl => new([node], Hardening, someone => someone.Use(make), directories);
}
