using Cake.K3s.Edge.Hetzner;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.PrivateNetwork;
using Cake.K3s.NodeBed;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge.Hetzner;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>
/// Two servers behind their firewalls, with stand-ins for K3s and for Hetzner's API; what that attaches is a device of its own on the nodes,
/// and what goes over it is real.
/// </summary>
[Parallelizable(ParallelScope.All)]
public sealed class PrivateNetworkTests
{
    [Test]
    public async Task Should_move_flannel_and_not_etcd_and_go_back_byte_for_byte()
    {
        var servers = await ServersAsync("private");
        var api = Hetzner(servers);
        using (var someone = new Operator(servers, Hardening))
        {
            await someone.Use((run, fleet) => new FirewallBaselineControl(run, fleet)).ApplyAsync(default);
        }

        await new ControlCycle(servers, Hardening, someone => Make(someone, api), "/etc").RunAsync(async () =>
        {
            Assert.That(await servers[0].RunAsync("ip -d link show flannel.1; cat /sys/class/net/enp7s0/mtu"), Does.Contain("local 10.0.0.").And.EndsWith("1450"));
            Assert.That(await servers[0].RunAsync($"k3s kubectl get node {servers[0].Name} -o jsonpath='internal={{.status.addresses}}'"), Does.Contain($"internal={servers[0].Address}"));
            Assert.That(api.Networks, Has.Count.EqualTo(1));
            await LearnLateAsync(servers);
            using var someone = new Operator(servers, Hardening);
            Assert.That((await Make(someone, api).VerifyAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace), "a peer learns the new address late");
        });
        Assert.That(api.Networks, Is.Empty);
        Assert.That(await servers[0].RunAsync("ip -d link show flannel.1"), Does.Contain($"local {servers[0].Address}"));
    }

    [Test]
    public async Task Should_go_on_and_attach_nothing_twice_When_attaching_failed_amid_it()
    {
        var servers = await ServersAsync("amid");
        var api = Hetzner(servers);
        api.Looks = 0;
        using (var someone = new Operator(servers, Hardening))
        {
            // The first server is attached; the second one's request is refused.
            for (var request = 0; request < 4; request++)
            {
                api.Faults.Enqueue(null);
            }

            api.Faults.Enqueue(() => HetznerStandIn.Error(System.Net.HttpStatusCode.UnprocessableEntity, "no_subnet_available"));
            Assert.That(() => Make(someone, api).ApplyAsync(default), Throws.InstanceOf<K3sException>().With.Message.Contains("no_subnet_available"));
            Assert.That(await servers[0].RunAsync("ls -A /etc/rancher/k3s"), Is.EqualTo("config.yaml"));
        }

        using var next = new Operator(servers, Hardening);
        var control = Make(next, api);
        await control.ApplyAsync(default);
        Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
        Assert.That(api.Networks, Has.Count.EqualTo(1));
    }

    /// <summary>The second server sends to the first one's old address for some seconds more.</summary>
    private static async Task LearnLateAsync(BedNode[] servers)
    {
        var hardware = await servers[0].RunAsync("cat /sys/class/net/flannel.1/address");
        var peer = $"bridge fdb replace {hardware.Trim()} dev flannel.1 dst";
        await servers[1].RunAsync($"{peer} {servers[0].Address}; systemd-run --quiet --collect --on-active=3 --timer-property=AccuracySec=100ms {peer} 10.0.0.2");
    }

    private static HardeningSettings Hardening => new()
    {
        PrivateNetwork = new() { Name = "k3s", Range = "10.0.0.0/24", Token = new() { Variable = "HCLOUD_TOKEN" } },
        UndoAfter = Duration.FromMinutes(1),
        Operators = [SharedBed.Bed.OperatorAddress],
    };

    private static PrivateNetworkControl Make(Operator someone, HetznerStandIn api) => someone.Use((run, fleet) => new PrivateNetworkControl(
        run, fleet, (_, _) => Task.FromResult(new HetznerClient(new HttpClient(api, disposeHandler: false), new Secret(HetznerStandIn.Token), TimeProvider.System)), TimeProvider.System));

    private static HetznerStandIn Hetzner(BedNode[] servers)
    {
        var api = new HetznerStandIn();
        foreach (var server in servers)
        {
            api.AddServer(server.Name, server.Address);
        }

        api.OnAttached = (name, attached) =>
        {
            var number = Array.FindIndex(servers, server => server.Name == name);
            return servers[number].RunAsync(attached
                // Both devices are on one bridge: without this each would answer for the other's address.
                ? $"echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore; ip link add link host0 name enp7s0 type macvlan mode bridge; ip address add 10.0.0.{number + 2}/24 dev enp7s0; ip link set enp7s0 up"
                : "ip link delete enp7s0");
        };
        return api;
    }

    private static async Task<BedNode[]> ServersAsync(string cluster)
    {
        var servers = await SharedBed.Bed.AddNodesAsync(2);
        await Task.WhenAll(servers.Select(server => K3sStandIn.InstallAsync(server, cluster)));
        return servers;
    }
}
