using System.Diagnostics;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;
using Cake.K3s.Tools;
using CliWrap;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks;

/// <summary>
/// How long after a state can be read from the API the verdict on it is there, beside <c>kubectl rollout status</c>: for a Deployment
/// that is rolled out, and for one whose image does not exist, which kubectl waits for until its time is up.
/// </summary>
internal static class VerdictBenchmark
{
    private const int Rounds = 9;

    public static async Task<int> RunAsync()
    {
        var directory = Directory.CreateTempSubdirectory("cake-k3s-bench-").FullName;
        try
        {
            await using var services = LibraryServices.Build();
            var kubectl = (await services.GetRequiredService<IToolbox>().RequireAsync(ToolName.Kubectl, "the benchmark", CancellationToken.None)).Path;
            await using var server = await ApiProcess.StartAsync(directory);
            var config = Path.Combine(directory, "kubeconfig");
            await File.WriteAllTextAsync(config, ApiProcess.Kubeconfig(server.Address));
            using var connector = new ClusterConnector(Silence.Instance, TimeProvider.System);
            var api = await connector.OpenAsync(new(config, null, "default"), default);
            await api.ApplyAsync(Json("""{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"bench"}}"""), default);

            List<TimeSpan> ready = [], failed = [], peer = [];
            for (var round = 0; round <= Rounds; round++)
            {
                var times = (
                    Ready: await OwnAsync(api, $"ready-{round}", RolledOutAsync),
                    Failed: await OwnAsync(api, $"failed-{round}", NoImageAsync),
                    Peer: await PeerAsync(api, kubectl, config, $"peer-{round}"));
                if (round > 0)
                {
                    ready.Add(times.Ready);
                    failed.Add(times.Failed);
                    peer.Add(times.Peer);
                }
            }

            MarkdownTable.Write(
                ["seconds from the state to the verdict", "cake-k3s", "kubectl rollout status"],
                [
                    ["rolled out", Median(ready), Median(peer)],
                    ["the image does not exist", Median(failed), "none before its time-out"],
                ]);
            return 0;
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static string Median(List<TimeSpan> times) => MarkdownTable.Seconds(times.Order().ElementAt(times.Count / 2));

    private static async Task<TimeSpan> OwnAsync(ClusterApi api, string name, Func<ClusterApi, JsonObject, Task> changeAsync)
    {
        var deployment = await MakeAsync(api, name);
        var watching = new FirstReport();
        var terms = new RolloutTerms(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(1));
        var verdict = new RolloutWatcher(TimeProvider.System, watching).WatchAsync(api, [ObjectKey.Of(deployment)], terms, default);
        await watching.Came;
        await changeAsync(api, deployment);
        var start = Stopwatch.GetTimestamp();
        await verdict;
        return Stopwatch.GetElapsedTime(start);
    }

    private static async Task<TimeSpan> PeerAsync(ClusterApi api, string kubectl, string config, string name)
    {
        var deployment = await MakeAsync(api, name);
        var watching = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var verdict = Cli.Wrap(kubectl)
            .WithArguments(["--kubeconfig", config, "-n", "bench", "rollout", "status", "deployment/" + name, "--timeout=60s"])
            .WithStandardOutputPipe(PipeTarget.ToDelegate(_ => watching.TrySetResult()))
            .ExecuteAsync();
        await watching.Task;
        await RolledOutAsync(api, deployment);
        var start = Stopwatch.GetTimestamp();
        await verdict;
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>A Deployment that its controller has seen, and of which no pod is there yet.</summary>
    private static async Task<JsonObject> MakeAsync(ClusterApi api, string name)
    {
        var made = await api.ApplyAsync(
            Json($$$"""
                {"apiVersion":"apps/v1","kind":"Deployment",
                 "metadata":{"name":"{{{name}}}","namespace":"bench","annotations":{"deployment.kubernetes.io/revision":"1"}},
                 "spec":{"replicas":1,"selector":{"matchLabels":{"app":"{{{name}}}"}},
                  "template":{"metadata":{"labels":{"app":"{{{name}}}"}},"spec":{"containers":[{"name":"main","image":"registry.local/app:1"}]} } } }
                """),
            default);
        await StatusAsync(api, made.Node, """{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"unavailableReplicas":1}""");
        return made.Node;
    }

    private static Task RolledOutAsync(ClusterApi api, JsonObject deployment) =>
        StatusAsync(api, deployment, """{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"readyReplicas":1,"availableReplicas":1,"unavailableReplicas":null}""");

    private static async Task NoImageAsync(ClusterApi api, JsonObject deployment)
    {
        var spec = new JsonObject { ["replicas"] = 1, ["selector"] = deployment["spec"]!["selector"]!.DeepClone(), ["template"] = deployment["spec"]!["template"]!.DeepClone() };
        var set = await api.CreateAsync(Owned(deployment, "ReplicaSet", "apps/v1", spec), default);
        var pod = await api.CreateAsync(Owned(set, "Pod", "v1", deployment["spec"]!["template"]!["spec"]!.DeepClone()), default);
        await StatusAsync(api, pod, """
            {"phase":"Pending","conditions":[{"type":"PodScheduled","status":"True"},{"type":"Ready","status":"False"}],
             "containerStatuses":[{"name":"main","image":"registry.local/app:1","imageID":"","ready":false,"restartCount":0,
              "state":{"waiting":{"reason":"ErrImagePull","message":"registry.local/app:1: manifest unknown"}}}]}
            """);
    }

    private static JsonObject Owned(JsonObject owner, string kind, string version, JsonNode spec)
    {
        var name = (string)owner["metadata"]!["name"]!;
        return Json($$$"""
            {"apiVersion":"{{{version}}}","kind":"{{{kind}}}",
             "metadata":{"name":"{{{name}}}-1","namespace":"bench","annotations":{"deployment.kubernetes.io/revision":"1"},
              "ownerReferences":[{"apiVersion":"apps/v1","kind":"{{{(string)owner["kind"]!}}}","name":"{{{name}}}","uid":"{{{(string)owner["metadata"]!["uid"]!}}}","controller":true}]},
             "spec":{{{spec.ToJsonString()}}} }
            """);
    }

    private static Task StatusAsync(ClusterApi api, JsonObject target, string status) =>
        api.PatchAsync(ObjectKey.Of(target), PatchType.Merge, new JsonObject { ["status"] = JsonNode.Parse(status) }, default, new() { Subresource = "status" });

    private static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();

    private sealed class FirstReport : IReporter
    {
        private readonly TaskCompletionSource _came = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Came => _came.Task;

        public void Report(RunEvent runEvent) => _came.TrySetResult();
    }
}
