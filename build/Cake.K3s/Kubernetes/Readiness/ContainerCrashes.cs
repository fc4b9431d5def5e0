using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Judges how often a container ended that should run, against what the workload may afford.</summary>
internal static class ContainerCrashes
{
    /// <summary>A verdict where the container has ended since the rollout began and is not up again; else null.</summary>
    public static Verdict? Judge(JsonObject pod, JsonObject status, ImmutableArray<JsonObject> events, PodPolicy policy)
    {
        var ended = Last(status);
        if (ended is null || !policy.CountsCrashes)
        {
            return null;
        }

        // The API tells whole seconds, rounded down: what ended in the second in which the rollout began may be its own.
        if (ended.Time("finishedAt")?.AddSeconds(1) <= policy.StartedAt)
        {
            return Verdict.Transient("Crashed", $"{Describe(ended)} before this rollout began; waits for its next start");
        }

        var restarts = status.Number("restartCount") ?? 0;
        var failures = restarts + (status.At("state", "running") is null ? 1 : 0);
        var isOutOfMemory = ended.Text("reason") == "OOMKilled";
        var startFailure = ContainerStart.Judge(ended.Text("reason") ?? "", ended.Text("message") ?? "");
        if (startFailure is not null && ended.Text("reason") is "StartError" or "ContainerCannotRun"
            || startFailure?.Reason == ContainerStart.WrongArchitectureReason)
        {
            return startFailure;
        }

        // More memory is the only cure: another try ends the same way.
        if (failures > policy.Overrides.AllowedRestarts || (isOutOfMemory && !policy.Overrides.AllowsRestartsExplicitly))
        {
            var verdict = Ended(pod, status) with { Reason = Reason(status, ended) };
            return isOutOfMemory ? verdict : ContainerProbes.NameKiller(verdict, status, ended, events);
        }

        return Verdict.Transient(
            Reason(status, ended), $"{Describe(ended)}; may be restarted {Times(policy.Overrides.AllowedRestarts)} in a rollout");
    }

    /// <summary>The fatal verdict on a container that ended.</summary>
    public static Verdict Ended(JsonObject pod, JsonObject status)
    {
        var ended = Last(status);
        var restarts = status.Number("restartCount") ?? 0;
        return Verdict.Fatal(
            ended.Text("reason") ?? "Error",
            Describe(ended) + (restarts > 0 ? $", restarted {Times(restarts)}" : ""),
            Advice(pod, status, ended));
    }

    private static JsonNode? Last(JsonObject status) => status.At("state", "terminated") ?? status.At("lastState", "terminated");

    private static string Reason(JsonObject status, JsonNode? ended) =>
        ended.Text("reason") == "OOMKilled" ? "OOMKilled" : status.Text("state", "waiting", "reason") ?? ended.Text("reason") ?? "Error";

    private static string Describe(JsonNode? ended)
    {
        var code = ended.Number("exitCode");
        var how = ended.Text("reason") == "OOMKilled"
            ? "the container was killed for using more memory than its limit"
            : code is > 128 and < 160
                ? $"the container was ended by signal {code - 128} (exit code {code})"
                : $"the container exited with code {code?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}";
        var lived = ended.Time("finishedAt") - ended.Time("startedAt");
        var message = ended.Text("message")?.Trim().Split('\n')[^1];
        return how + (lived is { } time && time >= TimeSpan.Zero ? $" after {time.TotalSeconds:0.#} s" : "")
            + (string.IsNullOrEmpty(message) ? "" : $" (termination message: {message})");
    }

    private static string Advice(JsonObject pod, JsonObject status, JsonNode? ended)
    {
        if (ended.Text("reason") == "OOMKilled")
        {
            return "raise resources.limits.memory of the container, or find what uses the memory";
        }

        if (ended.Number("exitCode") == 0)
        {
            return "the program ends by itself: start a server in the foreground, or make it a Job";
        }

        var previous = status.Number("restartCount") is > 0 ? " --previous" : "";
        return $"correct what its last log lines say: kubectl -n {pod.NamespaceName()} logs {pod.ObjectName()} -c {status.Text("name")}{previous}";
    }

    private static string Times(long count) => count == 1 ? "once" : count.ToString(CultureInfo.InvariantCulture) + " times";
}
