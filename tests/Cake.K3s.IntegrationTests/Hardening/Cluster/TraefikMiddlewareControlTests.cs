using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.TraefikMiddleware;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The middlewares of this repository, against an API that knows their type.</summary>
public sealed class TraefikMiddlewareControlTests
{
    private static readonly GroupVersionKind IngressType = new("networking.k8s.io", "v1", "Ingress");
    private static readonly GroupVersionKind MiddlewareType = new("traefik.io", "v1alpha1", "Middleware");
    private readonly List<string> _writes = [];
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private volatile bool _fails;

    [SetUp]
    public async Task StartAsync()
    {
        _fails = false;
        _host = await ApiHost.StartAsync((context, next) =>
        {
            if (context.Request.Method is "PATCH" or "DELETE" && !context.Request.Query.ContainsKey("dryRun") && !context.Request.Path.Value!.Contains("/secrets/"))
            {
                _writes.Add($"{context.Request.Method} {context.Request.Path.Value.Split('/')[^1]}");
                if (_fails)
                {
                    context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                    return Task.CompletedTask;
                }
            }

            return next(context);
        });
        _api = _host.Open();
        await CustomTypes.DefineMiddlewareAsync(_api);
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        await _api.ApplyAsync(
            Node("""
                {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop", "namespace": "shop", "annotations": {"traefik.ingress.kubernetes.io/router.middlewares": "other@file"}},
                 "spec": {"rules": [{"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "api", "port": {"number": 80}}}}]}}]}}
                """),
            default);
        _writes.Clear();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _api.Dispose();
        await _host.DisposeAsync();
    }

    private static TraefikMiddlewareControl Control(ClusterApi api) => new(
        ControlStage.Cluster(api, new() { TraefikMiddleware = new() }, TestSandbox.RepositoryRoot), ControlStage.Loader, new HttpClient());

    [Test]
    public async Task Should_make_the_middlewares_before_they_are_named_and_unname_them_before_they_go()
    {
        await Control(_api).ApplyAsync(default);
        var annotation = await AnnotationAsync();
        var applied = _writes.ToList();
        _writes.Clear();
        await Control(_api).UndoAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(applied, Is.EqualTo(["PATCH security-headers", "PATCH rate-limit", "PATCH shop"]));
            Assert.That(annotation, Is.EqualTo("other@file,shop-security-headers@kubernetescrd,shop-rate-limit@kubernetescrd"), "what was named before keeps its place");
            Assert.That(_writes.FindIndex(write => write == "PATCH shop"), Is.Zero);
            Assert.That(_writes.TakeLast(2), Is.EqualTo(["DELETE rate-limit", "DELETE security-headers"]));
            Assert.That(await AnnotationAsync(), Is.EqualTo("other@file"));
        });
    }

    [Test]
    public async Task Should_not_name_anything_when_an_Ingress_names_a_middleware_that_is_not_there()
    {
        await _api.PatchAsync(
            new(IngressType, "shop", "shop"),
            PatchType.Merge,
            Node("""{"metadata": {"annotations": {"traefik.ingress.kubernetes.io/router.middlewares": "shop-gone@kubernetescrd"}}}"""),
            default);

        Assert.Multiple(async () =>
        {
            Assert.That(async () => await Control(_api).ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("shop-gone@kubernetescrd"));
            Assert.That(await AnnotationAsync(), Is.EqualTo("shop-gone@kubernetescrd"));
            Assert.That((await Control(_api).AuditAsync(default)).Select(finding => finding.Summary), Has.Some.Contains("404"));
        });
    }

    [Test]
    public async Task Should_refuse_a_middleware_that_the_published_schema_does_not_have() => Assert.That(
        async () => await _api.ApplyAsync(
            Node("""{"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": "m", "namespace": "shop"}, "spec": {"rateLimit": {"average": "many"}}}"""), default),
        Throws.TypeOf<KubernetesApiException>().With.Message.Contains("average"));

    [Test]
    public async Task Should_converge_when_the_API_failed_in_the_middle()
    {
        _fails = true;
        Assert.That(async () => await Control(_api).ApplyAsync(default), Throws.InstanceOf<K3sException>());
        _fails = false;

        await Control(_api).ApplyAsync(default);

        Assert.That((await Control(_api).AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
    }

    [Test]
    public Task Should_converge_and_undo_when_killed_at_any_change() => Interruption.EachChangeAsync(_host, Control, async () =>
        await AnnotationAsync() + string.Join(' ', (await _api.ListAsync(MiddlewareType, "shop", null, default)).Items.Select(item => item.ObjectName())));

    private async Task<string?> AnnotationAsync() =>
        (await _api.GetAsync(new(IngressType, "shop", "shop"), default)).Annotation(MiddlewareReferences.Annotation);

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();
}
