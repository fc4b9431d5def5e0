using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Processes;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>A real Redis gets a password while a client works all the time. Redis itself counts the commands that it refused.</summary>
[SupportedOSPlatform("linux")]
public sealed class RedisPasswordTests
{
    // Connects anew for every command, as a client does that has lost its connection.
    private const string Client = """
        while true; do
          { [ -n "$REDIS_PASSWORD" ] && printf 'AUTH %s %s\r\n' "$REDIS_USER" "$REDIS_PASSWORD"; printf 'INCR counter\r\nQUIT\r\n'; } | nc redis 6379 >/dev/null
          sleep 0.05
        done
        """;

    private ClusterConnector _connector = null!;
    private ClusterApi _api = null!;
    private RedisCli _redis = null!;
    private ClusterConnection _connection = null!;
    private RedisPasswordControl _control = null!;

    [OneTimeSetUp]
    public async Task StartAsync()
    {
        var sandbox = SharedCluster.Instance.Sandbox;
        var image = await sandbox.BaseImageAsync("redis");
        _connection = new(SharedCluster.Instance.Addresses.Kubeconfig, null, await SharedCluster.Instance.NamespaceAsync());
        _connector = new(new RecordingReporter(), TimeProvider.System);
        _api = await _connector.OpenAsync(_connection, default);
        _redis = new(sandbox.Get<ICommandRunner>(), sandbox.Get<IToolbox>());
        _control = new(
            ControlStage.Cluster(
                _api,
                new() { RedisPassword = new() { Clients = ["client"] } },
                change: environment => environment with { Cluster = _connection }),
            _redis,
            new RolloutWatcher(TimeProvider.System, new RecordingReporter()),
            new SecretMask(),
            TimeProvider.System);
        await DeployAsync("redis", $$"""
            {"name": "redis", "image": "{{image}}", "command": ["redis-server", "--save", "", "--protected-mode", "no", "--include", "/auth/*.conf"],
             "ports": [{"containerPort": 6379}], "readinessProbe": {"tcpSocket": {"port": 6379}, "periodSeconds": 1}, "volumeMounts": [{"name": "auth", "mountPath": "/auth"}]}
            """, """[{"name": "auth", "secret": {"secretName": "redis-auth", "optional": true, "items": [{"key": "redis.conf", "path": "auth.conf"}]}}]""");
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "redis"}, "spec": {"selector": {"app": "redis"}, "ports": [{"port": 6379}]}}"""), default);
        await ReadyAsync("redis");
        await DeployAsync("client", $$"""{"name": "client", "image": "local/tools:1", "command": ["sh", "-c", {{JsonValue.Create(Client).ToJsonString()}}]}""", "[]");
        await ReadyAsync("client");
    }

    [OneTimeTearDown]
    public void Stop() => _connector.Dispose();

    [Test]
    public async Task Should_refuse_those_without_the_password_and_no_command_of_the_client()
    {
        var before = await _control.AuditAsync(default);
        await CommandsAsync(atLeast: 5);

        var changes = await _control.ApplyAsync(default);
        var verified = await _control.VerifyAsync(default);
        var again = await _control.ApplyAsync(default);
        var after = await _control.AuditAsync(default);
        var (calls, refused) = await CommandsAsync(atLeast: await CountAsync() + 10);
        Assert.Multiple(() =>
        {
            Assert.That(before.Count(finding => finding.State == ControlState.Missing), Is.EqualTo(3));
            Assert.That(changes.Select(change => change.Description), Has.Some.Contain("asks for the password"));
            Assert.That(verified.Single().Summary, Does.Contain("NOAUTH"));
            Assert.That(verified.Single().State, Is.EqualTo(ControlState.InPlace));
            Assert.That(again, Is.Empty);
            Assert.That(after.Where(finding => !finding.State.IsFine()), Is.Empty);
            Assert.That(calls, Is.GreaterThan(15));
            Assert.That(refused, Is.Zero, "of all commands that the client sent");
        });

        // A Redis that starts anew reads the password from the Secret.
        var pod = await PodAsync("redis");
        await _api.DeleteAsync(ObjectKey.Of(pod), default, new() { GracePeriod = TimeSpan.FromSeconds(1) });
        await TestCluster.UntilAsync(() => FindPodAsync("redis"), found => found is not null && found.Uid() != pod.Uid());
        Assert.That((await _control.VerifyAsync(default)).Single().State, Is.EqualTo(ControlState.InPlace));

        var undone = await _control.UndoAsync(default);
        await ReadyAsync("client");
        Assert.Multiple(async () =>
        {
            Assert.That(undone, Is.Not.Empty);
            Assert.That((await _control.VerifyAsync(default)).Single().State, Is.EqualTo(ControlState.Missing));
            Assert.That((await CommandsAsync(atLeast: await CountAsync() + 5)).Refused, Is.Zero);
            Assert.That(await _api.GetAsync(new(new("", "v1", "Secret"), _api.Namespace, "redis-auth"), default), Is.Null);
        });
    }

    /// <summary>Waits until the client has sent so many commands, and says how many of them Redis refused.</summary>
    private Task<(long Calls, long Refused)> CommandsAsync(long atLeast) => TestCluster.UntilAsync(StatisticsAsync, now => now.Calls >= atLeast);

    private async Task<long> CountAsync() => (await StatisticsAsync()).Calls;

    private async Task<(long Calls, long Refused)> StatisticsAsync()
    {
        var secret = await _api.GetAsync(new(new("", "v1", "Secret"), _api.Namespace, "redis-auth"), default);
        IEnumerable<string> login = secret.Text("data", "password") is { } encoded && secret.Text("data", "redis.conf") is not null
            ? [$"AUTH default {System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(encoded))}"]
            : [];
        var answer = await _redis.SendAsync(_connection, (await PodAsync("redis")).ObjectName()!, "redis", [.. login, "INFO commandstats"], default);
        var line = answer.FirstOrDefault(text => text.StartsWith("cmdstat_incr:", StringComparison.Ordinal)) ?? "cmdstat_incr:";
        var values = line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]);
        return (Value("calls"), Value("rejected_calls") + Value("failed_calls"));

        long Value(string name) => values.TryGetValue(name, out var text) ? long.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : 0;
    }

    private async Task DeployAsync(string name, string container, string volumes) => await _api.ApplyAsync(
        Node($$"""
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "{{name}}", "namespace": "{{_api.Namespace}}"},
             "spec": {"selector": {"matchLabels": {"app": "{{name}}"} }, "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1} },
             "template": {"metadata": {"labels": {"app": "{{name}}"} }, "spec": {"terminationGracePeriodSeconds": 1, "containers": [{{container}}], "volumes": {{volumes}} } } } }
            """),
        default);

    private Task ReadyAsync(string name) => TestCluster.UntilAsync(
        () => _api.GetAsync(new(new("apps", "v1", "Deployment"), _api.Namespace, name), default),
        found => found.Number("status", "availableReplicas") == 1 && found.Number("status", "replicas") == 1
            && found.Number("status", "observedGeneration") == found.Number("metadata", "generation"));

    private async Task<JsonObject> PodAsync(string app) => (await TestCluster.UntilAsync(() => FindPodAsync(app), pod => pod is not null))!;

    private async Task<JsonObject?> FindPodAsync(string app) =>
        (await _api.ListAsync(new("", "v1", "Pod"), _api.Namespace, new() { LabelSelector = $"app={app}" }, default)).Items.FirstOrDefault(pod =>
            pod.At("metadata", "deletionTimestamp") is null && pod.Objects("status", "conditions").Any(condition => condition.Text("type") == "Ready" && condition.Text("status") == "True"));

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();
}
