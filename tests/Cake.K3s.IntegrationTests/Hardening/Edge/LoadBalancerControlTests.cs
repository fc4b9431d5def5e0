using System.Collections.Immutable;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Edge.LoadBalancer;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;

namespace Cake.K3s.IntegrationTests.Hardening.Edge;

/// <summary>LoadBalancer against a stand-in for Cloudflare.</summary>
public sealed class LoadBalancerControlTests
{
    private EdgeStage _stage = null!;

    [SetUp]
    public async Task StartAsync() => _stage = await EdgeStage.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _stage.DisposeAsync();

    private LoadBalancerControl Control(Faults? faults = null, params ImmutableArray<string> regions)
    {
        var others = ImmutableDictionary<string, EnvironmentSettings>.Empty
            .Add("eu", new() { Nodes = [new() { Name = "n1", Host = "198.51.100.1" }, new() { Name = "n2", Host = "n2.internal", Addresses = ["10.0.0.2", "198.51.100.2"] }] })
            .Add("us", new() { Nodes = [new() { Name = "u1", Host = "203.0.113.1" }] })
            .Add("empty", new());
        var settings = new LoadBalancerSettings { Host = "api.example.com", Regions = regions.IsEmpty ? ["eu", "us"] : regions, HealthPath = "/health" };
        var (cluster, cloudflare, visitor) = _stage.Run(new() { LoadBalancer = settings }, faults, others);
        return new(cluster, cloudflare, visitor);
    }

    [Test]
    public async Task Should_MakeAPoolForEachRegion_When_Applied()
    {
        Assert.That((await Control().AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));

        await Control().ApplyAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(
                _stage.Cloudflare.Pools.Select(pool => string.Join(',', pool["origins"]!.AsArray().Select(origin => origin!["address"]!.ToString()))),
                Is.EqualTo(["198.51.100.1,198.51.100.2", "203.0.113.1"]), "public addresses alone");
            Assert.That(_stage.Cloudflare.LoadBalancers.Single()["default_pools"]!.AsArray().Select(id => id!.ToString()), Is.EqualTo(_stage.Cloudflare.Pools.Select(pool => pool["id"]!.ToString())));
            Assert.That((await Control().AuditAsync(default)).Single().State, Is.EqualTo(ControlState.InPlace));
            Assert.That(await Control().ApplyAsync(default), Is.Empty);
            Assert.That((await Control().VerifyAsync(default)).Single().State, Is.EqualTo(ControlState.InPlace));
            Assert.That(_stage.Cloudflare.Wrong, Is.Empty);
        });
    }

    [Test]
    public async Task Should_DeleteAPoolAfterTheHostHasLeftIt_When_ARegionGoes()
    {
        await Control().ApplyAsync(default);
        await Control(null, "us").ApplyAsync(default);

        Assert.That(_stage.Cloudflare.Pools, Has.Count.EqualTo(1));
        Assert.That(_stage.Cloudflare.Wrong, Is.Empty);
    }

    [Test]
    public void Should_RefuseToTakeItOver_When_SomebodyElseMadeTheLoadBalancer()
    {
        _stage.Cloudflare.LoadBalancers.Add(new()
        {
            ["id"] = "x",
            ["name"] = "api.example.com",
            ["enabled"] = true,
            ["proxied"] = true,
            ["steering_policy"] = "off",
            ["fallback_pool"] = "p",
            ["default_pools"] = new System.Text.Json.Nodes.JsonArray("p"),
        });

        Assert.That(async () => await Control().ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("somebody else"));
    }

    [TestCase("nowhere")]
    [TestCase("empty")]
    public void Should_RefuseARegion_When_ItHasNoNodes(string region) => Assert.That(
        async () => await Control(null, region).ApplyAsync(default),
        Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.BadInput));

    [Test]
    public async Task Should_NameWhatIsLeft_When_UndoneAfterItWasTakenOutOfDeployYaml()
    {
        var (cluster, cloudflare, visitor) = _stage.Run(new());
        var without = new LoadBalancerControl(cluster, cloudflare, visitor);
        Assert.That(await without.UndoAsync(default), Is.Empty, "nothing was made yet");
        await Control().ApplyAsync(default);
        _stage.Cloudflare.LoadBalancers.Clear();

        var failure = Assert.ThrowsAsync<K3sException>(() => without.UndoAsync(default))!;

        Assert.That(failure.Summary, Does.Contain("api.example.com").And.Contain("no environment of deploy.yaml has it"));
        Assert.That(failure.NextStep, Does.Contain("Undo-LoadBalancer"));
        Assert.That(_stage.Cloudflare.Pools, Is.Not.Empty, "nothing is deleted by guess");
        await Control().UndoAsync(default);
        Assert.That(await without.UndoAsync(default), Is.Empty);
    }

    [Test]
    public Task Should_ConvergeAndUndo_When_KilledOrRefusedAtAnyWrite() =>
        Interruption.EachChangeAsync(faults => Control(faults), () => Task.FromResult(_stage.CloudflareState()));
}
