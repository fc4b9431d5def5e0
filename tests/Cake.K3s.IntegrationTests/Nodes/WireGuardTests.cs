using System.Diagnostics;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.WireGuard;
using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>
/// The pods' network of three servers behind their firewalls. K3s is a stand-in, and so is the kernel's WireGuard (wireguard-go): devices,
/// keys, handshakes and what goes over them are real.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class WireGuardTests
{
    [SetUp]
    public void Require()
    {
        if (!File.Exists("/dev/net/tun"))
        {
            (EnvironmentVariables.OfProcess.IsCI ? (Action<string>)Assert.Fail : Assert.Ignore)("wireguard-go needs /dev/net/tun");
        }
    }

    [Test]
    public async Task Should_encrypt_between_all_servers_close_the_old_port_and_go_back_byte_for_byte()
    {
        var servers = await ServersAsync("mesh", 3);
        using (var someone = new Operator(servers, Hardening()))
        {
            await someone.Use((run, fleet) => new FirewallBaselineControl(run, fleet)).ApplyAsync(default);
        }

        await new ControlCycle(servers, Hardening(), Make, "/etc").RunAsync(async () =>
        {
            foreach (var server in servers)
            {
                Assert.That(await server.RunAsync("ip -o link show | cut -d: -f2; ufw status | grep -c 8472 || true"), Does.Contain("flannel-wg").And.Not.Contain("flannel.1").And.EndsWith("\n0"));
                Assert.That(await server.RunAsync("ip route show | grep ^10.42"), Does.Not.Contain("flannel.1"));
                Assert.That(await server.RunAsync("wg show flannel-wg latest-handshakes | awk '$2 > 0' | wc -l"), Is.EqualTo("2"));
            }

            // The firewall's own control does not open it again.
            using var someone = new Operator(servers, Hardening());
            var baseline = someone.Use((run, fleet) => new FirewallBaselineControl(run, fleet));
            Assert.That(await baseline.PlanAsync(default), Is.Empty);
        });
        Assert.That(await servers[0].RunAsync("ip -o link show | cut -d: -f2"), Does.Contain("flannel.1").And.Not.Contain("flannel-wg"));
    }

    // Amid the first server's change, the second's, the proof and the confirmation; every moment of them takes many minutes.
    [TestCase(LockOutTests.Fault.HostKilled, 9, 17)]
    [TestCase(LockOutTests.Fault.ConnectionCut, 11)]
    [TestCase(LockOutTests.Fault.PowerLost, 12)]
    [TestCase(LockOutTests.Fault.Reboot, 10)]
    public Task Should_not_lock_out_and_have_one_network_When_cut_off(LockOutTests.Fault fault, params int[] commands) => CutOffAsync(fault, commands);

    [Test]
    [Explicit("takes many minutes; run after a change of how changes are made")]
    public Task Should_not_lock_out_and_have_one_network_When_cut_off_at_any_command([Values] LockOutTests.Fault fault, [Values(1, 2, 3)] int first) =>
        CutOffAsync(fault, [.. Enumerable.Range(0, 30).Select(number => first + (3 * number))]);

    [Test]
    public async Task Should_change_no_server_When_one_of_the_cluster_is_not_in_the_settings()
    {
        var servers = await ServersAsync("unnamed", 2);
        using var someone = new Operator([servers[0]], Hardening());

        Assert.That(() => Make(someone).ApplyAsync(default), Throws.InstanceOf<K3sException>().With.Message.Contains($"a node {servers[1].Name} that is no server"));
        Assert.That(await servers[0].RunAsync("ls -A /etc/rancher/k3s"), Is.EqualTo("config.yaml"));
    }

    [Test]
    public async Task Should_bring_all_servers_back_When_the_proof_fails()
    {
        var servers = await ServersAsync("shut", 2);
        var before = await servers[0].StateOfAsync("/etc");

        // As a provider's firewall in front of the node would.
        await servers[1].RunAsync("iptables -I INPUT -p udp --dport 51820 -j DROP; iptables -I OUTPUT -p udp --dport 51820 -j DROP");
        using var someone = new Operator(servers, Hardening());

        Assert.That(() => Make(someone).ApplyAsync(default), Throws.TypeOf<NodeException>().With.Message.Contains("taken back on 2 of 2 nodes"));
        Assert.That(await servers[0].StateOfAsync("/etc"), Is.EqualTo(before));
        Assert.That(await servers[1].RunAsync("ip -o link show | cut -d: -f2"), Does.Contain("flannel.1").And.Not.Contain("flannel-wg"));
    }

    private static async Task CutOffAsync(LockOutTests.Fault fault, IReadOnlyCollection<int> commands)
    {
        var servers = await ServersAsync($"cut{fault}{commands.First()}", 2);
        var before = await servers[0].StateOfAsync("/etc") + await servers[1].StateOfAsync("/etc");
        var runs = 0;
        foreach (var command in commands)
        {
            CutOffRunner? cut = null;
            for (var undoAfter = 6; cut is null; undoAfter *= 4)
            {
                using var someone = new Operator(servers, Hardening(undoAfter), runner: real => cut = new CutOffRunner(real, command, command % 2 == 0, () => LockOutTests.StrikeAsync(servers[command / 2 % 2], fault)));
                try
                {
                    await Make(someone).ApplyAsync(default);
                }
                catch (KilledException)
                {
                    // As it must be.
                }
                catch (NodeException slow) when (!cut!.HasStruck && slow.Message.Contains("was taken back by the node", StringComparison.Ordinal))
                {
                    // A busy machine: its proof came after the undo.
                    cut = null;
                }
            }

            runs += cut!.HasStruck ? 1 : 0;
            var struck = Stopwatch.GetTimestamp();
            foreach (var server in servers)
            {
                while (await server.RunAsync("timeout 30 sh -c 'while [ -e /var/lib/cake-k3s/armed ]; do sleep 0.1; done' || echo armed") != "")
                {
                    Assert.That(Stopwatch.GetElapsedTime(struck), Is.LessThan(TimeSpan.FromMinutes(3)), $"{server.Name} takes nothing back after {fault} at command {command}");
                }

                await server.JoinAsync();
                using var other = new Operator([server]);
                await other.Fleet.Nodes[0].RunAsync("log in", "true", default);
            }

            using var next = new Operator(servers, Hardening());
            var control = Make(next);
            await control.ApplyAsync(default);
            var proved = await control.VerifyAsync(default);
            Assert.That(proved.Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace), string.Join('\n', proved));
            await control.UndoAsync(default);
            Assert.That(await servers[0].StateOfAsync("/etc") + await servers[1].StateOfAsync("/etc"), Is.EqualTo(before), $"{fault} at command {command}");
            if (!cut.HasStruck)
            {
                break;
            }
        }

        TestContext.Progress.WriteLine($"WireGuard, {fault}: {runs} runs cut off, 0 nodes locked out");
    }

    private static WireGuardControl Make(Operator someone) => someone.Use((run, fleet) => new WireGuardControl(run, fleet));

    private static HardeningSettings Hardening(int undoAfter = 60) =>
        new() { WireGuard = true, UndoAfter = new Duration(TimeSpan.FromSeconds(undoAfter)), Operators = [SharedBed.Bed.OperatorAddress] };

    private static async Task<BedNode[]> ServersAsync(string cluster, int count)
    {
        var servers = await SharedBed.Bed.AddNodesAsync(count);
        await Task.WhenAll(servers.Select(server => K3sStandIn.InstallAsync(server, cluster)));
        return servers;
    }
}
