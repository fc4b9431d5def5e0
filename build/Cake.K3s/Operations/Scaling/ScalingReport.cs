using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Cake.Core;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Cluster.Observability;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Scaling;

/// <summary>Reads the figures that say when the app has grown out of what it runs on.</summary>
public sealed class ScalingReport
{
    private static readonly GroupVersionKind DeploymentType = new("apps", "v1", "Deployment");
    private static readonly GroupVersionKind SecretType = new("", "v1", "Secret");
    private static readonly GroupVersionKind PodType = new("", "v1", "Pod");
    private readonly PipelineRun _run;
    private readonly ControlCluster _cluster;
    private readonly RedisCli _redis;
    private readonly SecretReader _secrets;
    private readonly ISecretMask _mask;
    private readonly IConsole _console;

    internal ScalingReport(PipelineRun run, ControlCluster cluster, RedisCli redis, SecretReader secrets, ISecretMask mask, IConsole console)
    {
        _run = run;
        _cluster = cluster;
        _redis = redis;
        _secrets = secrets;
        _mask = mask;
        _console = console;
    }

    private ScalingSettings Settings => _cluster.EnvironmentSettings.Scaling;

    /// <summary>Writes a table: each trigger with its value, its limit and what to do. What cannot be read is unknown, and says why.</summary>
    public async Task WriteAsync()
    {
        foreach (var line in ScalingFigure.Lines(await FiguresAsync(_run.Cancellation)))
        {
            _console.WriteLine("{0}", _mask.Hide(line));
        }
    }

    /// <summary>The figures, in the order of the triggers.</summary>
    internal async Task<ImmutableArray<ScalingFigure>> FiguresAsync(CancellationToken cancellationToken) =>
    [
        .. await Task.WhenAll(
            ReadAsync(ScalingTrigger.Latency, LatencyAsync, cancellationToken),
            ReadAsync(ScalingTrigger.Cpu, CpuAsync, cancellationToken),
            ReadAsync(ScalingTrigger.Connections, ConnectionsAsync, cancellationToken),
            ReadAsync(ScalingTrigger.RedisMemory, RedisAsync, cancellationToken),
            ReadAsync(ScalingTrigger.Storage, StorageAsync, cancellationToken)),
        Said(ScalingTrigger.Users, Settings.Users, "scaling.users"),
        Said(ScalingTrigger.Revenue, Settings.Revenue, "scaling.revenue"),
    ];

    // One figure that cannot be read, for whatever reason, must not hide the others.
    private static async Task<ScalingFigure> ReadAsync(ScalingTrigger trigger, Func<CancellationToken, Task<double?>> read, CancellationToken cancellationToken)
    {
        try
        {
            return await read(cancellationToken) is { } value && double.IsFinite(value) ? new(trigger, value, null) : new(trigger, null, "nothing was measured in the last hour");
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            return new(trigger, null, e is K3sException known ? known.Summary : e.Message.ReplaceLineEndings(" "));
        }
    }

    private static ScalingFigure Said(ScalingTrigger trigger, int? value, string key) =>
        new(trigger, value, value is null ? $"{key} of the environment is not set in deploy.yaml" : null);

    private Task<double?> LatencyAsync(CancellationToken cancellationToken) => QueryAsync("1000 * histogram_quantile(0.99, sum by (le) (rate(traefik_service_request_duration_seconds_bucket[1h])))", cancellationToken);

    private async Task<double?> CpuAsync(CancellationToken cancellationToken)
    {
        var ns = (await _cluster.OpenAsync(cancellationToken)).Namespace;
        var container = $"namespace=\"{ns}\", pod=~\"{Settings.Deployment}-.+\"";
        return await QueryAsync(
            $"100 * sum(rate(container_cpu_usage_seconds_total{{{container}, container!=\"\"}}[1h])) / sum(kube_pod_container_resource_requests{{{container}, resource=\"cpu\"}})",
            cancellationToken);
    }

    private async Task<double?> QueryAsync(string query, CancellationToken cancellationToken)
    {
        var api = await _cluster.OpenAsync(cancellationToken);
        JsonObject answer;
        try
        {
            answer = await api.PrometheusJsonAsync("api/v1/query?query=" + Uri.EscapeDataString(query), cancellationToken);
        }
        catch (KubernetesApiException refusal)
        {
            throw new K3sException(
                ExitCodes.Failed, $"Prometheus does not answer: {refusal.ApiMessage}; is Monitoring in place?", "Run --target=Harden-Monitoring.", innerException: refusal);
        }

        return answer.Objects("data", "result").FirstOrDefault()?["value"] is JsonArray { Count: 2 } sample
            && double.TryParse(sample[1]?.ToString(), CultureInfo.InvariantCulture, out var number) ? number : null;
    }

    private async Task<double?> ConnectionsAsync(CancellationToken cancellationToken)
    {
        var environment = await _cluster.EnvironmentAsync();
        return environment.Secrets.TryGetValue(Settings.Database, out var url)
            ? await DatabaseConnections.UsedPercentAsync(Settings.Database, url, cancellationToken)
            : throw new K3sException(ExitCodes.BadInput, $"the environment has no secret {Settings.Database}", "Correct scaling.database in deploy.yaml.");
    }

    private async Task<double?> RedisAsync(CancellationToken cancellationToken)
    {
        var api = await _cluster.OpenAsync(cancellationToken);
        var deployment = await api.GetAsync(new(DeploymentType, api.Namespace, Settings.Redis), cancellationToken)
            ?? throw new K3sException(ExitCodes.Failed, $"there is no Deployment/{Settings.Redis} in namespace {api.Namespace}", "Deploy the app, or correct scaling.redis in deploy.yaml.");
        var selector = string.Join(',', deployment.Texts("spec", "selector", "matchLabels").Select(label => $"{label.Key}={label.Value}"));
        var pod = (await api.ListAsync(PodType, api.Namespace, new() { LabelSelector = selector }, cancellationToken)).Items.FirstOrDefault(item => item.Text("status", "phase") == "Running")
            ?? throw new K3sException(ExitCodes.Failed, $"no pod of Deployment/{Settings.Redis} runs", "See --target=Status.");
        IEnumerable<string> requests = await PasswordAsync(api, cancellationToken) is { } password ? [$"AUTH default {RedisCli.Quote(password)}", "INFO memory"] : ["INFO memory"];
        var lines = await _redis.SendAsync((await _cluster.EnvironmentAsync()).Cluster, pod.ObjectName()!, pod.Objects("spec", "containers").First().Text("name")!, requests, cancellationToken);
        return RedisInfo.UsedPercent(lines)
            ?? throw new K3sException(ExitCodes.Failed, lines.FirstOrDefault(line => line.StartsWith("NOAUTH", StringComparison.Ordinal)) ?? "Redis has no maxmemory", "Set maxmemory in redis.conf.");
    }

    private async Task<string?> PasswordAsync(ClusterApi api, CancellationToken cancellationToken)
    {
        var name = _cluster.Hardening.RedisPassword?.Secret;
        if (name is null || (await api.GetAsync(new(SecretType, api.Namespace, name), cancellationToken)).Text("data", "password") is not { } encoded)
        {
            return null;
        }

        var password = Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        _mask.Add(new Secret(password));
        return password;
    }

    private async Task<double?> StorageAsync(CancellationToken cancellationToken)
    {
        var storage = Settings.Storage ?? throw new K3sException(ExitCodes.BadInput, "scaling.storage of the environment is not set in deploy.yaml", "Set it.");
        var key = await StorageKey.ReadAsync(_secrets, "scaling.storage.key", storage.Key, _cluster.Settings.Root, cancellationToken);
        return await BucketSize.GigabytesAsync(storage, key, cancellationToken);
    }
}
