using System.Text.Json.Nodes;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>Every manifest of this repository that needs no image of the app, against the schemas of the types that it uses.</summary>
public sealed class CustomResourceSchemaTests
{
    private static IEnumerable<string> Folders() => Directory.EnumerateFiles(Path.Combine(TestSandbox.RepositoryRoot, "manifests"), "*.yaml", SearchOption.AllDirectories)
        .Select(file => Path.GetDirectoryName(Path.GetRelativePath(TestSandbox.RepositoryRoot, file))!)
        .Where(folder => folder != "manifests/app").Distinct().Order();

    [TestCaseSource(nameof(Folders))]
    public async Task Should_fit_the_schemas(string folder)
    {
        await using var host = await ApiHost.StartAsync();
        using var api = host.Open();
        await CustomTypes.DefineAsync(api);
        var objects = (await CustomTypes.LoadAsync(folder, "ALERTS_SLACK_URL")).Where(IsPlain).OrderBy(node => Waves.Of(GroupVersionKind.Of(node))).ToList();
        foreach (var ns in objects.Select(node => node.NamespaceName() ?? "shop").Append("shop").Distinct())
        {
            await api.ApplyAsync(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = ns } }, default, new() { Force = true });
        }

        foreach (var node in objects)
        {
            await api.ApplyAsync(node, default, new() { Force = true });
        }
    }

    [TestCase("""{"repo": "https://example.com", "chart": "c", "version": "1.0.0", "targetNamespace": "n", "valueContent": "a: 1"}""", "valueContent")]
    [TestCase("""{"repo": "https://example.com", "chart": "c", "version": "^1.0", "targetNamespace": "n"}""", "version")]
    public async Task Should_refuse_a_chart_that_is_not_pinned_or_has_a_strange_field(string spec, string field)
    {
        await using var host = await ApiHost.StartAsync();
        using var api = host.Open("kube-system");
        await CustomTypes.DefineAsync(api, "helm.cattle.io");
        var chart = new JsonObject
        {
            ["apiVersion"] = "helm.cattle.io/v1",
            ["kind"] = "HelmChart",
            ["metadata"] = new JsonObject { ["name"] = "c", ["namespace"] = "kube-system" },
            ["spec"] = JsonNode.Parse(spec),
        };

        Assert.That(async () => await api.ApplyAsync(chart, default), Throws.TypeOf<KubernetesApiException>().With.Message.Contains(field));
    }

    // Ranges of nodes and of servers outside are filled in by the control; its own tests check what comes of it.
    private static bool IsPlain(JsonObject node) => node.Text("kind") != "NetworkPolicy";
}
