using System.Collections.Immutable;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// Judges a running container by its failing probes. A server that answers, and steadily answers with an error, is not starting
/// slowly: it is broken, or the probe asks for the wrong path. A port that is not open yet, a time-out and the codes for
/// "not yet" (429, 502, 503, 504) are left to the deadline.
/// </summary>
internal static partial class ContainerProbes
{
    public static Verdict? Judge(JsonObject? spec, JsonObject status, ImmutableArray<JsonObject> events, PodPolicy policy)
    {
        var startedAt = status.Time("state", "running", "startedAt") ?? policy.Now;
        var failure = events
            .Where(e => e.Text("reason") == "Unhealthy" && IsAbout(e, status) && Observation.LastSeen(e) >= startedAt)
            .LastOrDefault();
        if (failure.Text("message") is not { } message)
        {
            return null;
        }

        var isStartup = message.StartsWith("Startup probe", StringComparison.Ordinal);
        var answer = HttpStatus().Match(message);
        if (!answer.Success || answer.Groups[1].Value is "429" or "502" or "503" or "504" || message.StartsWith("Liveness", StringComparison.Ordinal))
        {
            return Verdict.Waiting("Unhealthy", message) with { NextStep = "compare the port and path of the probe with what the app listens on" };
        }

        var budget = isStartup ? Budget(spec.At("startupProbe")) : Budget(spec.At("startupProbe")) + Budget(spec.At("readinessProbe"));
        var failsAt = startedAt + budget;
        if (policy.Now < failsAt)
        {
            return Verdict.Waiting("Unhealthy", message) with { RecheckAt = failsAt };
        }

        var probe = spec.At(isStartup ? "startupProbe" : "readinessProbe", "httpGet");
        return Verdict.Fatal(
            "Unhealthy",
            $"{message} at {probe.Text("path") ?? "/"}, for {(policy.Now - startedAt).TotalSeconds:0} s; the probe's own budget is {budget.TotalSeconds:0} s",
            answer.Groups[1].Value is "404" or "405"
                ? "correct the probe's path or port in the manifest, or serve that path"
                : "correct what makes the app answer with an error; its log lines follow");
    }

    /// <summary>Adds to the verdict on a container that ended that the kubelet ended it, and for which probe.</summary>
    public static Verdict NameKiller(Verdict verdict, JsonObject status, JsonNode ended, ImmutableArray<JsonObject> events)
    {
        var kill = events.LastOrDefault(e => e.Text("reason") == "Killing" && IsAbout(e, status) && Observation.LastSeen(e) >= ended.Time("startedAt"));
        if (!FailedProbe().Match(kill.Text("message") ?? "").Groups.TryGetValue("kind", out var kind) || kind.Length == 0)
        {
            return verdict;
        }

        var why = events.LastOrDefault(e => e.Text("reason") == "Unhealthy" && IsAbout(e, status)
            && e.Text("message")!.StartsWith(kind.Value, StringComparison.OrdinalIgnoreCase)).Text("message")?.Split(": ", 2) is [_, { Length: > 0 } detail] ? $": {detail}" : "";
        return verdict with
        {
            Message = $"{verdict.Message}; the node ended it because its {kind.Value} probe failed{why}",
            NextStep = kind.Value == "startup"
                ? "make failureThreshold × periodSeconds of the startup probe longer than the start takes, or correct what the probe asks"
                : "correct what the liveness probe asks; if the app is only slow to start, give it a startupProbe",
        };
    }

    /// <summary>How long a probe may fail before the kubelet acts on it.</summary>
    private static TimeSpan Budget(JsonNode? probe) =>
        probe is null
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds(
                (probe.Number("initialDelaySeconds") ?? 0) + ((probe.Number("periodSeconds") ?? 10) * (probe.Number("failureThreshold") ?? 3)));

    private static bool IsAbout(JsonObject e, JsonObject status) =>
        e.Text("involvedObject", "fieldPath") is not { } path
        || path.EndsWith("{" + status.Text("name") + "}", StringComparison.Ordinal);

    // The kubelet's words: Container api failed liveness probe, will be restarted
    [GeneratedRegex("failed (?<kind>liveness|startup) probe", RegexOptions.ExplicitCapture | RegexOptions.CultureInvariant)]
    private static partial Regex FailedProbe();

    [GeneratedRegex(@"HTTP probe failed with statuscode: (\d{3})", RegexOptions.CultureInvariant)]
    private static partial Regex HttpStatus();
}
