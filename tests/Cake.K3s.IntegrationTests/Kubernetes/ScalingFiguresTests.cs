using System.Collections.Immutable;
using System.Net;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.IntegrationTests.Hardening.Cluster.Alerting;
using Cake.K3s.IntegrationTests.Kubernetes.Backups;
using Cake.K3s.IntegrationTests.Operations;
using Cake.K3s.Operations.Scaling;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>Every figure of the report: Prometheus and Postgres are real, the bucket is a stand-in, and Redis' answer is made up.</summary>
[SupportedOSPlatform("linux")]
internal sealed class ScalingFiguresTests
{
    [Test]
    public async Task Should_read_all_seven()
    {
        var scrapes = 0;
        PrometheusServer? prometheus = null;
        await using var host = await ApiHost.StartAsync(async (context, next) =>
        {
            if (context.Request.Path.Value!.Split("/services/prometheus-operated:9090/proxy/") is [_, var path])
            {
                await prometheus!.AnswerAsync(context, path);
            }
            else if (context.Request.Path == "/metrics")
            {
                // Each second 100 requests that took between half a second and one, and a tenth of a second of a CPU.
                var seconds = Interlocked.Increment(ref scrapes);
                await context.Response.WriteAsync($$"""
                    traefik_service_request_duration_seconds_bucket{service="api",le="0.5"} 0
                    traefik_service_request_duration_seconds_bucket{service="api",le="1"} {{seconds * 100}}
                    traefik_service_request_duration_seconds_bucket{service="api",le="+Inf"} {{seconds * 100}}
                    container_cpu_usage_seconds_total{namespace="shop",pod="api-1",container="api"} {{seconds}}e-1
                    container_cpu_usage_seconds_total{namespace="shop",pod="admin-1",container="admin"} {{seconds}}e6
                    kube_pod_container_resource_requests{namespace="shop",pod="api-1",container="api",resource="cpu"} 0.5
                    kube_pod_container_resource_requests{namespace="shop",pod="api-1",container="api",resource="memory"} 1e6

                    """);
            }
            else
            {
                await next(context);
            }
        });
        await using var server = prometheus = await PrometheusServer.StartAsync(host.Address);
        await using var bucket = await StandInBucket.StartAsync(IPAddress.Loopback);
        bucket.Objects["a"] = new byte[3_000_000];
        bucket.Objects["b"] = new byte[1_000_000];
        using var api = host.Open();
        await AddRedisAsync(api);
        var settings = new ScalingSettings
        {
            Users = 7,
            Revenue = 9,
            Storage = new()
            {
                Endpoint = bucket.Endpoint,
                Region = StandInBucket.Region,
                Bucket = StandInBucket.Bucket,
                Key = new() { Id = new() { Variable = "ID" }, Key = new() { Variable = "KEY" } },
            },
        };
        var report = ScalingReportTests.Report(
            api,
            settings,
            new RedisCli(new RedisSays("# Memory\nused_memory:48000000\nmaxmemory:64000000\n"), new AnyTool()),
            new(name => name == "ID" ? StandInBucket.Operator : StandInBucket.KeyOf(StandInBucket.Operator)),
            environment => environment with { Secrets = environment.Secrets.Add("DATABASE_URL", new Secret(SharedSandbox.Addresses.PostgresUrl)) });

        ImmutableArray<ScalingFigure> figures;
        do
        {
            // Two scrapes are needed for a rate.
            figures = await report.FiguresAsync(default);
        }
        while (scrapes < 60 && figures.Take(2).Any(figure => figure.Why == "nothing was measured in the last hour"));

        Assert.That(figures.Select(figure => figure.Why), Is.All.Null);
        Assert.That(figures.Select(figure => figure.Trigger), Is.EqualTo(ScalingTrigger.All));
        var values = figures.Select(figure => figure.Value!.Value).ToList();
        Assert.That(values[0], Is.EqualTo(995).Within(1e-6).And.GreaterThan(ScalingTrigger.Latency.Limit), "99 of 100 between 500 and 1000 ms");
        Assert.That(values[1], Is.GreaterThan(0).And.LessThan(100), "of the api's pods alone");
        Assert.That(values[2], Is.InRange(0, 100));
        Assert.That(values[3], Is.EqualTo(75));
        Assert.That(values[4], Is.EqualTo(0.004).Within(1e-9));
        Assert.That(values[5..], Is.EqualTo([7d, 9d]));
    }

    private static async Task AddRedisAsync(K3s.Kubernetes.Api.ClusterApi api)
    {
        const string Template = """{"metadata": {"labels": {"app": "redis"}}, "spec": {"containers": [{"name": "main", "image": "redis"}]}}""";
        await api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        await api.CreateAsync(Node($$"""{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "redis"}, "spec": {"selector": {"matchLabels": {"app": "redis"} }, "template": {{Template}} } }"""), default);
        await api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "redis-1", "labels": {"app": "redis"}}, "spec": {"containers": [{"name": "main", "image": "redis"}]}}"""), default);
        await api.PatchAsync(
            new(new("", "v1", "Pod"), "shop", "redis-1"), K3s.Kubernetes.Api.PatchType.Merge, Node("""{"status": {"phase": "Running"}}"""), default, new() { Subresource = "status" });
    }

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();

    private sealed class RedisSays(string text) : ICommandRunner
    {
        public Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
        {
            Assert.That(command.Arguments, Is.SupersetOf(new[] { "exec", "redis-1", "main", "redis-cli" }));
            return Task.FromResult(new CommandResult(0, text, "", TimeSpan.Zero));
        }

        public int StartDetached(Command command, string logFile) => throw new NotSupportedException();
    }

    private sealed class AnyTool : IToolbox
    {
        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) =>
            Task.FromResult(new Tool(tool, "/" + tool, ImmutableDictionary<string, string?>.Empty, "a test"));
    }
}
