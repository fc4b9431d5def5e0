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
            return Verdict.Waiting("Unhealthy", message);
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

    /// <summary>How long a probe may fail before the kubelet acts on it.</summary>
    private static TimeSpan Budget(JsonNode? probe) =>
        probe is null
            ? TimeSpan.Zero
            : TimeSpan.FromSeconds(
                (probe.Number("initialDelaySeconds") ?? 0) + ((probe.Number("periodSeconds") ?? 10) * (probe.Number("failureThreshold") ?? 3)));

    private static bool IsAbout(JsonObject e, JsonObject status) =>
        e.Text("involvedObject", "fieldPath") is not { } path
        || path.EndsWith("{" + status.Text("name") + "}", StringComparison.Ordinal);

    [GeneratedRegex(@"HTTP probe failed with statuscode: (\d{3})", RegexOptions.CultureInvariant)]
    private static partial Regex HttpStatus();
}
