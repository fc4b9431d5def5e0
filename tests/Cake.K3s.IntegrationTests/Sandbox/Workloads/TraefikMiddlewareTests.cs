using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.TraefikMiddleware;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>Answers through the sandbox's ingress show the middlewares.</summary>
[SupportedOSPlatform("linux")]
public sealed class TraefikMiddlewareTests
{
    [Test]
    public async Task Should_show_headers_and_refuse_one_visitor_alone()
    {
        var cluster = SharedCluster.Instance;
        var connection = new ClusterConnection(cluster.Addresses.Kubeconfig, null, await cluster.NamespaceAsync());
        using var connector = new ClusterConnector(new RecordingReporter(), TimeProvider.System);
        var api = await connector.OpenAsync(connection, default);
        using var http = new HttpClient();
        using var directory = new TemporaryDirectory();
        await File.WriteAllTextAsync(Path.Combine(directory.Path, "middlewares.yaml"), """
            {apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {name: headers}, spec: {headers: {frameDeny: true, referrerPolicy: no-referrer}}}
            ---
            {apiVersion: traefik.io/v1alpha1, kind: Middleware, metadata: {name: limit}, spec: {rateLimit: {average: 1, burst: 5, sourceCriterion: {requestHeaderName: CF-Connecting-IP}}}}
            """);
        var control = new TraefikMiddlewareControl(
            ControlStage.Cluster(
                api,
                new() { TraefikMiddleware = new() { Manifests = ["middlewares.yaml"] } },
                directory.Path,
                environment => environment with { AddressOf = host => new Uri($"http://{host}:{cluster.Addresses.IngressPort}") }),
            ControlStage.Loader,
            http);
        await cluster.CreatePodAsync(connection.Namespace, "page", """
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "mkdir /www; echo hello > /www/index.html; httpd -f -p 8000 -h /www"], "ports": [{"containerPort": 8000}]}]
            """);
        await api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "page"}, "spec": {"selector": {"app": "page"}, "ports": [{"port": 8000}]}}"""), default);
        await api.CreateAsync(
            Node("""
                {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "page"},
                 "spec": {"rules": [{"host": "middleware.localhost", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "page", "port": {"number": 8000}}}}]}}]}}
                """),
            default);
        await TestCluster.UntilAsync(
            async () =>
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{cluster.Addresses.IngressPort}/") { Headers = { Host = "middleware.localhost" } };
                return (await http.SendAsync(request)).IsSuccessStatusCode;
            },
            served => served);

        var before = await control.VerifyAsync(default);
        await control.ApplyAsync(default);
        var after = await TestCluster.UntilAsync(() => control.VerifyAsync(default), findings => findings.All(finding => finding.State.IsFine()));
        await control.UndoAsync(default);
        var undone = await TestCluster.UntilAsync(() => control.VerifyAsync(default), findings => findings.All(finding => !finding.State.IsFine()));

        Assert.Multiple(() =>
        {
            Assert.That(before.Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That(after, Has.Length.EqualTo(2));
            Assert.That(undone.Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
        });
    }

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();
}
