using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// Keeps what a failure leaves in the cluster before a rollback removes it: the logs of the last and the present run of each
/// container, termination messages, events, the pod and its node.
/// </summary>
internal sealed class EvidenceCollector(ISecretMask mask, TimeProvider time)
{
    private const int KeptLogLines = 500;
    private const int ShownLogLines = 12;
    private const int ShownEvents = 5;
    private const int PodsOfWorkload = 3;

    // A node that does not answer must not keep the rollback from starting.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    /// <summary>Collects and saves; what cannot be read is noted in its place.</summary>
    /// <param name="api">The cluster.</param>
    /// <param name="failures">What failed.</param>
    /// <param name="directory">Absolute path of the directory to save to.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<Evidence> CollectAsync(
        ClusterApi api, IEnumerable<RolloutFailure> failures, string directory, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Limit, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var shown = new List<string>();
        var wrongArchitecture = false;
        foreach (var failure in failures)
        {
            var folder = Path.Combine(directory, $"{failure.Key.Type.Kind.ToLowerInvariant()}-{failure.Key.Name}");
            Directory.CreateDirectory(folder);
            Save(folder, "verdict.txt", [failure.ToString(), .. failure.Verdict.NextStep is { } next ? [$"Next: {next}"] : Array.Empty<string>()]);
            if (failure.Observation is not { } observation)
            {
                continue;
            }

            SaveJson(folder, "object.json", observation.Object);
            Save(folder, "events.txt", observation.Events.OrderBy(Observation.LastSeen).Select(Describe));
            foreach (var pod in Pods(failure, observation))
            {
                var logs = await CollectPodAsync(api, pod, folder, either.Token);
                wrongArchitecture |= logs.Any(log => log.Lines.Any(ContainerStart.IsWrongArchitecture));
                if (pod.ObjectName() == failure.Verdict.Pod || logs.Count == 1)
                {
                    shown.AddRange(Show(failure, logs));
                }
            }

            shown.AddRange(ShowEvents(failure, observation));
        }

        return new(directory, [.. shown.Distinct().Select(mask.Hide)], wrongArchitecture);
    }

    private static IEnumerable<JsonObject> Pods(RolloutFailure failure, Observation observation) =>
        WorkloadPods.OfNewRevision(observation)
            .Concat(observation.Object.Text("kind") == "Pod" ? [observation.Object] : [])
            .Where(pod => !PodReadiness.IsReady(pod) && pod.Text("status", "phase") != "Succeeded")
            .OrderByDescending(pod => pod.ObjectName() == failure.Verdict.Pod)
            .Take(PodsOfWorkload);

    private async Task<List<ContainerLog>> CollectPodAsync(ClusterApi api, JsonObject pod, string folder, CancellationToken cancellationToken)
    {
        var name = pod.ObjectName()!;
        SaveJson(folder, $"{name}.json", pod);
        if (pod.Text("spec", "nodeName") is { } nodeName
            && await TryAsync(() => api.GetAsync(new(new("", "v1", "Node"), null, nodeName), cancellationToken), cancellationToken) is (JsonObject node, _))
        {
            SaveJson(folder, $"node-{nodeName}.json", node);
        }

        var logs = new List<ContainerLog>();
        foreach (var status in pod.ContainerStatuses())
        {
            var container = status.Text("name") ?? "";
            var hasRun = status.At("state", "running") is not null || status.At("state", "terminated") is not null;
            foreach (var previous in (bool[])[true, false])
            {
                if (previous ? status.Number("restartCount") is not > 0 && (hasRun || status.At("lastState", "terminated") is null) : !hasRun)
                {
                    continue;
                }

                var (lines, problem) = await TryAsync(
                    async () => await ReadAsync(api.LogsAsync(
                        pod.NamespaceName() ?? api.Namespace, name, new() { Container = container, Previous = previous, TailLines = KeptLogLines }, cancellationToken)),
                    cancellationToken);
                Save(folder, $"{name}.{container}{(previous ? ".previous" : "")}.log", lines ?? [$"(cannot be read: {problem})"]);
                if (lines is { Count: > 0 })
                {
                    logs.Add(new(name, container, previous, lines));
                }
            }
        }

        return logs;
    }

    private static async Task<List<string>> ReadAsync(IAsyncEnumerable<string> log)
    {
        var lines = new List<string>();
        await foreach (var line in log)
        {
            lines.Add(line);
        }

        return lines;
    }

    private static async Task<(T? Value, string? Problem)> TryAsync<T>(Func<Task<T?>> read, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return cancellationToken.IsCancellationRequested ? (null, "no time left") : (await read(), null);
        }
        catch (K3sException e)
        {
            return (null, e.Summary);
        }
        catch (OperationCanceledException)
        {
            return (null, "no answer in time");
        }
    }

    /// <summary>Of the container that the verdict is about: the end of its last run's log, or of the present one's.</summary>
    private static IEnumerable<string> Show(RolloutFailure failure, List<ContainerLog> logs)
    {
        var log = logs.Where(log => failure.Verdict.Container is null || log.Container == failure.Verdict.Container)
            .OrderByDescending(log => log.Previous)
            .FirstOrDefault();
        return log is null
            ? []
            : log.Lines.TakeLast(ShownLogLines).Select(line => $"| {line}").Prepend($"the last log lines of {log.Pod}, container {log.Container}:");
    }

    private static IEnumerable<string> ShowEvents(RolloutFailure failure, Observation observation)
    {
        var events = observation.Events
            .Where(e => e.Text("type") == "Warning")
            .OrderBy(Observation.LastSeen)
            .Where(e => failure.Verdict.Pod is null || e.Text("involvedObject", "name") == failure.Verdict.Pod)
            .Select(e => $"| {e.Text("reason")}: {e.Text("message")}")
            .Distinct()
            .TakeLast(ShownEvents)
            .ToList();
        return events.Count == 0 ? [] : events.Prepend($"events of {failure.Verdict.Pod ?? failure.Key.ToString()}:");
    }

    private static string Describe(JsonObject e) =>
        $"{Observation.LastSeen(e):HH:mm:ss} {e.Text("type")} {e.Text("involvedObject", "kind")}/{e.Text("involvedObject", "name")} {e.Text("reason")}: {e.Text("message")}"
        + (e.Number("count") is > 1 and var count ? $" ({count} times)" : "");

    private void Save(string folder, string file, IEnumerable<string> lines) =>
        File.WriteAllLines(Path.Combine(folder, file), lines.Select(mask.Hide));

    private void SaveJson(string folder, string file, JsonObject node) => Save(folder, file, [node.ToJsonString(Indented)]);

    private sealed record ContainerLog(string Pod, string Container, bool Previous, List<string> Lines);
}
