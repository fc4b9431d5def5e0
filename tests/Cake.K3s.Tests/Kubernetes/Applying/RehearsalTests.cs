using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Kubernetes.Applying;

public sealed class RehearsalTests
{
    private static readonly ApplySet Set = new("shop", "shop");
    private static readonly Manifest[] Manifests = [Map("same"), Map("drifted")];

    private InMemoryApi _memory = null!;
    private ClusterApi _api = null!;

    [SetUp]
    public async Task Apply()
    {
        _memory = new InMemoryApi();
        _memory.Put(Yaml.Object("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}"));
        _api = _memory.Open();
        await new Applier(new RecordingReporter(), TimeProvider.System).ApplyAsync(_api, await PlanAsync(keepUnchanged: false), default);
        _memory.Change("configmaps", "drifted", node => node["data"]!["key"] = "other");
    }

    [TearDown]
    public void Close() => _api.Dispose();

    [TestCase(true)]
    [TestCase(false)]
    public async Task Should_SeeDrift_When_UnchangedObjectsAreKeptOrNot(bool keepUnchanged)
    {
        var plan = await PlanAsync(keepUnchanged);

        Assert.That(plan.Objects.Select(item => (item.Key.Name, item.Change)), Is.EquivalentTo([("same", PlannedChange.None), ("drifted", PlannedChange.Update)]));
        Assert.That(plan.Objects.Where(item => item.Live is not null).Select(item => item.Key.Name), Is.EquivalentTo(keepUnchanged ? ["same", "drifted"] : (string[])["drifted"]));
    }

    private static Manifest Map(string name) => Yaml.Manifest($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}}}, data: {{key: value}}}}");

    private Task<DeployPlan> PlanAsync(bool keepUnchanged) => Rehearsal.PlanAsync(_api, Set, Manifests, force: true, keepUnchanged, default);
}
