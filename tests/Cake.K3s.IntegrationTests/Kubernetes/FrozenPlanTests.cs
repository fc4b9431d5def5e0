using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>A plan that was written to a file is applied exactly, or not at all.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class FrozenPlanTests
{
    private ClusterApi _api = null!;
    private ApiProxy _proxy = null!;
    private ManifestApp _app = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _api = await SharedSandbox.NamespaceAsync();
        _proxy = await ApiProxy.StartAsync(SharedSandbox.Addresses.Kubeconfig);
        _app = new(_proxy.Address, _api.Namespace);
        _app.Write("manifests/one.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: one}\ndata: {value: planned}\n");
        _app.Write("manifests/two.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: two}\ndata: {value: planned}\n");
    }

    [TearDown]
    public async Task RemoveAsync()
    {
        _app.Dispose();
        await _proxy.DisposeAsync();
        await SharedSandbox.RemoveAsync(_api);
    }

    [Test]
    public async Task Should_ChangeNothing_When_ClusterHasDriftedSinceThePlan()
    {
        var plan = Path.Combine(_app.Root, "plan.json");
        var planned = await _app.RunAsync("--target=Plan", $"--out={plan}");
        await _api.CreateAsync(Map("two", "by hand"), default);

        var refused = await _app.RunAsync("--target=Deploy", $"--plan={plan}");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(planned.ExitCode, Is.Zero);
            Assert.That(refused.ExitCode, Is.EqualTo(ExitCodes.Failed));
            Assert.That(refused.Output, Does.Contain("no longer holds; nothing was changed").And.Contain("ConfigMap/two is in the cluster already"));
            Assert.That(await ValueAsync("one"), Is.Null);
            Assert.That(await ValueAsync("two"), Is.EqualTo("by hand"));
            Assert.That(await new ReleaseStore(_api, ManifestApp.Name).ListAsync(default), Is.Empty);
            Assert.That(await DeployLock.DescribeAsync(_api, ManifestApp.Name, default), Is.Null, "the lock is held");
        }

        await _api.DeleteAsync(new(new("", "v1", "ConfigMap"), _api.Namespace, "two"), default);
        var deployed = await _app.RunAsync("--target=Deploy", $"--plan={plan}");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(deployed.ExitCode, Is.Zero);
            Assert.That(await ValueAsync("one"), Is.EqualTo("planned"));
            Assert.That(await ValueAsync("two"), Is.EqualTo("planned"));
        }
    }

    private async Task<string?> ValueAsync(string name) =>
        (await _api.GetAsync(new(new("", "v1", "ConfigMap"), _api.Namespace, name), default)).Text("data", "value");

    private static JsonObject Map(string name, string value) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "ConfigMap",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["data"] = new JsonObject { ["value"] = value },
    };
}
