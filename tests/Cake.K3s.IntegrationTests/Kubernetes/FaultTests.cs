using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>One request in ten is answered with 429, 500, 503, a reset or a stall of 5 s.</summary>
public sealed class FaultTests
{
    [Test]
    public async Task Should_deploy_200_objects_and_say_how_often_it_asked_again()
    {
        var requests = 0;
        var faults = new FaultyAnswers(retryAfter: "0");
        await using var host = await ApiHost.StartAsync((context, next) =>
            Interlocked.Increment(ref requests) % 10 == 0 ? faults.AnswerAsync(context, () => next(context)) : next(context));
        using var api = host.Open(firstAttempt: TimeSpan.FromMilliseconds(500));
        var manifests = Enumerable.Range(0, 200)
            .Select(i => $"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: map-{i}}}, data: {{value: \"{i}\"}}}}")
            .Prepend("{apiVersion: v1, kind: Namespace, metadata: {name: shop}}")
            .SelectMany(yaml => YamlReader.Read(yaml, new SourceMap("app.yaml")))
            .Select(node => Manifest.Of(node.AsObject(), "app.yaml"))
            .ToImmutableArray();
        var set = new ApplySet("shop", "shop");

        var plan = await Rehearsal.PlanAsync(api, set, manifests, force: false, default);
        await new Applier(new RecordingReporter(), TimeProvider.System).ApplyAsync(api, plan, default);

        var again = await Rehearsal.PlanAsync(api, set, manifests, force: false, default);
        Assert.That(again.Objects.All(planned => planned.Change == PlannedChange.None), Is.True);
        Assert.That(api.Retries.Total, Is.GreaterThanOrEqualTo(15));
        Assert.That(api.Retries.ToString(), Does.Contain("429").And.Contain("500").And.Contain("503").And.Contain("connection lost").And.Contain("no answer"));
    }

    [Test]
    public async Task Should_see_every_change_though_watches_are_cut_all_the_time()
    {
        await using var host = await ApiHost.StartAsync(async (context, next) =>
        {
            if (context.Request.Query.ContainsKey("watch"))
            {
                using var cut = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
                await using var registration = cut.Token.Register(context.Abort);
                await next(context);
            }
            else
            {
                await next(context);
            }
        });
        using var api = host.Open();
        var type = new GroupVersionKind("", "v1", "ConfigMap");
        await api.CreateAsync(Node("v1", "Namespace", "shop", 0), default);
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        var last = -1;
        var writing = WriteAsync(api, limit.Token);

        await foreach (var change in api.WatchAsync(type, "shop", new() { FieldSelector = "metadata.name=counter" }, limit.Token))
        {
            if (change.Type == WatchEventType.Synced)
            {
                continue;
            }

            var value = int.Parse(change.Object.Text("data", "value") ?? "-1", CultureInfo.InvariantCulture);
            Assert.That(value, Is.GreaterThanOrEqualTo(last));
            last = value;
            if (last == 50)
            {
                break;
            }
        }

        await writing;
        Assert.That(last, Is.EqualTo(50));
        Assert.That(api.Retries.Total, Is.GreaterThan(0));
    }

    private static async Task WriteAsync(ClusterApi api, CancellationToken cancellationToken)
    {
        for (var i = 0; i <= 50; i++)
        {
            await api.ApplyAsync(Node("v1", "ConfigMap", "counter", i), cancellationToken);
            await Task.Delay(10, cancellationToken);
        }
    }

    private static System.Text.Json.Nodes.JsonObject Node(string apiVersion, string kind, string name, int value) =>
        YamlReader.Read($"{{apiVersion: {apiVersion}, kind: {kind}, metadata: {{name: {name}}}, {(kind == "Namespace" ? "" : $"data: {{value: \"{value}\"}}")}}}", new SourceMap("x")).Single().AsObject();
}
