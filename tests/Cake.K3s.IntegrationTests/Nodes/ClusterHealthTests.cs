using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Nodes.AuditLog;
using Cake.K3s.NodeBed;
using Cake.K3s.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>The cluster between changes that take a node away; K3s itself is a stand-in.</summary>
[Parallelizable(ParallelScope.All)]
public sealed class ClusterHealthTests
{
    [Test]
    public async Task Should_touch_no_node_When_another_server_is_away_and_go_on_When_it_is_back()
    {
        var servers = await ServersAsync("away");
        var before = await servers[0].StateOfAsync("/etc");
        await servers[2].RunAsync("systemctl stop k3s");
        using (var someone = new Operator(servers))
        {
            var failure = Assert.ThrowsAsync<NodeException>(() => Make(someone).ApplyAsync(default));
            Assert.That(failure.Summary, Does.Contain($"{servers[0].Name} is not touched").And.Contain($"{servers[2].Name}"));
            Assert.That(await servers[0].StateOfAsync("/etc"), Is.EqualTo(before));
        }

        await servers[2].RunAsync("systemctl start k3s");
        using (var someone = new Operator(servers))
        {
            Assert.That(await Make(someone).ApplyAsync(default), Has.Length.EqualTo(3));
        }
    }

    [Test]
    public async Task Should_change_the_node_that_is_away_When_the_others_are_whole()
    {
        var servers = await ServersAsync("itself");
        await servers[0].RunAsync("systemctl stop k3s");
        using var someone = new Operator(servers);

        Assert.That(await Make(someone).ApplyAsync(default), Has.Length.EqualTo(3));
    }

    [Test]
    public async Task Should_take_the_change_back_and_stop_When_the_node_does_not_come_back()
    {
        var servers = await ServersAsync("lost");
        var before = await servers[0].StateOfAsync("/etc");
        await servers[0].RunAsync($"echo yes >/srv/stand-in-etcd/lost/servers/{servers[0].Name}/not-ready");
        using var someone = new Operator(servers, new HardeningSettings { UndoAfter = new Duration(TimeSpan.FromSeconds(8)) });

        Assert.That(() => Make(someone).ApplyAsync(default), Throws.TypeOf<NodeException>().With.Message.Contains("taken back"));
        await servers[0].RunAsync("while [ -e /var/lib/cake-k3s/armed ]; do sleep 0.1; done");
        Assert.That(await servers[0].StateOfAsync("/etc"), Is.EqualTo(before));
        Assert.That(await servers[1].RunAsync("ls -A /etc/rancher/k3s"), Is.EqualTo("config.yaml"), "the next server was not touched");
    }

    private static IControl Make(Operator someone) => someone.Use((run, fleet) => new AuditLogControl(run, fleet));

    private static async Task<BedNode[]> ServersAsync(string cluster)
    {
        var servers = await SharedBed.Bed.AddNodesAsync(3);
        await Task.WhenAll(servers.Select(server => K3sStandIn.InstallAsync(server, cluster)));
        return servers;
    }
}
