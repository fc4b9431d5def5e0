using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Processes;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The order of changes, cut off everywhere; Redis and the controllers are played here. A real Redis has its test beside the sandbox's workloads.</summary>
[Parallelizable(ParallelScope.All)]
internal sealed class RedisPasswordControlTests
{
    private static readonly GroupVersionKind Deployments = new("apps", "v1", "Deployment");

    [Test]
    public async Task Should_converge_and_undo_when_killed_at_any_change()
    {
        await using var host = await ApiHost.StartAsync();
        using var api = host.Open();
        await api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        foreach (var name in (string[])["redis", "api", "worker"])
        {
            await api.CreateAsync(
                Node($$$"""
                    {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{{{name}}}", "namespace": "shop"},
                     "spec": {"replicas": 1, "selector": {"matchLabels": {"app": "{{{name}}}"}}, "template": {"metadata": {"labels": {"app": "{{{name}}}"}},
                      "spec": {"containers": [{"name": "main", "image": "i"}], "volumes": [{"name": "auth", "secret": {"secretName": "redis-auth", "optional": true}}]} } } }
                    """),
                default);
        }

        var pod = ObjectKey.Of(await api.CreateAsync(
            Node("""{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "redis-1", "namespace": "shop", "labels": {"app": "redis"}}, "spec": {"containers": [{"name": "main", "image": "i"}]}}"""), default));
        await api.PatchAsync(pod, PatchType.Merge, Node("""{"status": {"phase": "Running"}}"""), default, new() { Subresource = "status" });
        using var ending = new CancellationTokenSource();
        var controllers = PlayAsync(api, ending.Token);
        var redis = new RedisStandIn();

        await Interruption.EachChangeAsync(
            host,
            connection => new RedisPasswordControl(
                ControlStage.Cluster(connection, new() { RedisPassword = new() { Clients = ["api", "worker"] } }),
                new RedisCli(redis, redis),
                new RolloutWatcher(TimeProvider.System, new RecordingReporter()),
                new SecretMask(),
                TimeProvider.System),
            async () =>
            {
                var deployments = (await api.ListAsync(Deployments, "shop", null, default)).Items.Select(item => item.At("spec", "template")!.ToJsonString());
                var secrets = (await api.ListAsync(new("", "v1", "Secret"), "shop", null, default)).Items.Select(item => item.ObjectName()!).Where(name => !name.Contains("journal", StringComparison.Ordinal));
                return string.Join('\n', [.. deployments, .. secrets, redis.Password]);
            });

        await ending.CancelAsync();
        await controllers;
    }

    // Whatever is asked for is ready at once.
    private static async Task PlayAsync(ClusterApi api, CancellationToken cancellationToken)
    {
        try
        {
            await foreach (var change in api.WatchAsync(Deployments, "shop", null, cancellationToken))
            {
                if (change.Object is { } deployment && deployment.Number("metadata", "generation") is { } generation && deployment.Number("status", "observedGeneration") != generation)
                {
                    var status = Node($$$"""{"status": {"observedGeneration": {{{generation}}}, "replicas": 1, "updatedReplicas": 1, "readyReplicas": 1, "availableReplicas": 1}}""");
                    await api.PatchAsync(ObjectKey.Of(deployment), PatchType.Merge, status, default, new() { Subresource = "status" });
                }
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The test is over.
        }
    }

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();

    /// <summary>One Redis, as far as the control talks to it; and the tools to reach it.</summary>
    private sealed class RedisStandIn : ICommandRunner, IToolbox
    {
        public string Password { get; private set; } = "";

        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) =>
            Task.FromResult(new Tool(tool, "kubectl", ImmutableDictionary<string, string?>.Empty, ""));

        public Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
        {
            var isKnown = Password.Length == 0;
            var answers = new List<string>();
            foreach (var words in command.StandardInput!.Reveal().Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Replace("\"", "", StringComparison.Ordinal).Split(' ')))
            {
                isKnown |= words is ["AUTH", "default", var given] && given == Password;
                answers.Add(isKnown ? words[0] == "PING" ? "PONG" : "OK" : "NOAUTH Authentication required.");
                if (isKnown && words is ["CONFIG", "SET", "requirepass", var password])
                {
                    Password = password;
                }
            }

            return Task.FromResult(new CommandResult(0, string.Join('\n', answers), "", TimeSpan.Zero));
        }

        public int StartDetached(Command command, string logFile) => throw new NotSupportedException();
    }
}
