using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.Migrations;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

public sealed class MigrationJobControlTests
{
    [TestCase("--wait-for-schema", ControlState.InPlace)]
    [TestCase("--migrate-only", ControlState.Missing)]
    public async Task Should_find_pods_that_migrate_when_they_start(string argument, ControlState expected)
    {
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "migrate.yaml"), """
            {apiVersion: batch/v1, kind: Job, metadata: {name: migrate}, spec: {template: {spec: {restartPolicy: Never, containers: [{name: m, image: r/api:1, args: [--migrate-only]}]}}}}
            """);
        await using var host = await ApiHost.StartAsync();
        using var api = host.Open();
        await api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        await api.CreateAsync(
            Node($$"""
                {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api"}, "spec": {"selector": {"matchLabels": {"app": "api"} }, "template": {"metadata": {"labels": {"app": "api"} },
                 "spec": {"initContainers": [{"name": "first", "image": "r/api:1", "args": ["{{argument}}"]}], "containers": [{"name": "main", "image": "r/api:1"}]} } } }
                """),
            default);
        var control = new MigrationJobControl(
            ControlStage.Cluster(api, new(), directory.Path, settings: deploy => deploy with { Manifests = ["."], Migration = new() { Job = "migrate.yaml" } }),
            ControlStage.Loader);

        var findings = await control.AuditAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(findings.Single().State, Is.EqualTo(expected));
            Assert.That(findings.Single().Target, Is.EqualTo("shop/api"));
            Assert.That(await control.ApplyAsync(default), Is.Empty);
        });
    }

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();
}
