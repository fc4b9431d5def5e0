using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Rules about staying up: budgets, rollouts, probes.</summary>
internal static class AvailabilityRules
{
    /// <summary>How long a container may take to start, e.g. <c>90s</c>: declared on the workload.</summary>
    public const string StartTimeAnnotation = "cake-k3s/start-time";

    public static readonly LintRule BudgetNeverSatisfied = new(
        "K3S001",
        "budget-never-satisfied",
        LintSeverity.Error,
        "A disruption budget that no eviction can satisfy blocks every drain, and with it every node upgrade.",
        "Allow at least one pod to go: minAvailable below replicas, or maxUnavailable: 1; a singleton has no budget.");

    public static readonly LintRule StartupTooShort = new(
        "K3S002",
        "startup-budget-too-short",
        LintSeverity.Error,
        "A startup probe that gives up before the container has started restarts it for ever.",
        "Make initialDelaySeconds + periodSeconds × failureThreshold longer than the declared start time.");

    public static readonly LintRule NoReadiness = new(
        "K3S004",
        "no-readiness-probe",
        LintSeverity.Warning,
        "Without a readiness probe a Service sends requests to a pod that does not listen yet, at every rollout.",
        "Add a readinessProbe that fails until the container can serve.");

    public static readonly LintRule SingletonSurges = new(
        "K3S015",
        "singleton-surges",
        LintSeverity.Warning,
        "During a rolling update a singleton runs twice: the new pod starts before the old one ends.",
        "Set strategy: {type: Recreate}, or rollingUpdate: {maxSurge: 0, maxUnavailable: 1}.");

    public static IEnumerable<LintFinding> Check(LintSubject subject) =>
    [
        .. subject.OfKind("policy", "PodDisruptionBudget").SelectMany(budget => CheckBudget(subject, budget)),
        .. subject.Workloads.SelectMany(CheckStart),
        .. subject.Workloads.SelectMany(workload => CheckReadiness(subject, workload)),
        .. subject.Workloads.SelectMany(workload => CheckSurge(subject, workload)),
    ];

    private static IEnumerable<LintFinding> CheckBudget(LintSubject subject, Manifests.Manifest budget)
    {
        var spec = budget.Node["spec"];
        var labels = spec.Texts("selector", "matchLabels").ToList();
        foreach (var workload in subject.Selected(budget, labels))
        {
            if (workload.Replicas is not { } replicas || replicas == 0)
            {
                continue;
            }

            if (spec.At("minAvailable") is { } least && Pods(least, replicas) >= replicas)
            {
                yield return BudgetNeverSatisfied.Found(
                    budget, least, $"minAvailable {least} of the {replicas} replica{(replicas == 1 ? "" : "s")} of {workload.Manifest}: no pod can ever be evicted");
            }
            else if (spec.At("maxUnavailable") is { } most && Pods(most, replicas) == 0)
            {
                yield return BudgetNeverSatisfied.Found(budget, most, $"maxUnavailable {most}: no pod of {workload.Manifest} can ever be evicted");
            }
        }
    }

    // Kubernetes rounds up percentages of both, which for maxUnavailable means that any above 0 allows one.
    private static long Pods(JsonNode value, long replicas) =>
        value is JsonValue text && text.TryGetValue(out string? percent) && percent.EndsWith('%')
        && double.TryParse(percent.TrimEnd('%'), CultureInfo.InvariantCulture, out var share)
            ? (long)Math.Ceiling(share * replicas / 100)
            : long.TryParse(value.ToString(), CultureInfo.InvariantCulture, out var number) ? number : 1;

    private static IEnumerable<LintFinding> CheckStart(Workload workload)
    {
        if ((workload.Manifest.Node.Annotation(StartTimeAnnotation) ?? workload.Template.Annotation(StartTimeAnnotation)) is not { } declared)
        {
            yield break;
        }

        if (Seconds(declared) is not { } start)
        {
            yield return StartupTooShort.Found(workload.Manifest, workload.Manifest.Node.At("metadata", "annotations"), $"{StartTimeAnnotation} '{declared}' is no duration such as 90s or 5m");
            yield break;
        }

        foreach (var container in workload.Containers)
        {
            if ((container["startupProbe"] ?? container["livenessProbe"]) is JsonObject probe && Budget(probe) < start)
            {
                yield return StartupTooShort.Found(
                    workload.Manifest, probe, $"container {container.Text("name")} is given {Budget(probe)} s to start and is declared to take {start} s");
            }
        }
    }

    private static long Budget(JsonObject probe) =>
        (probe.Number("initialDelaySeconds") ?? 0) + ((probe.Number("periodSeconds") ?? 10) * (probe.Number("failureThreshold") ?? 3));

    private static long? Seconds(string text) => text switch
    {
        [.. var number, 's'] when long.TryParse(number, CultureInfo.InvariantCulture, out var seconds) => seconds,
        [.. var number, 'm'] when long.TryParse(number, CultureInfo.InvariantCulture, out var minutes) => minutes * 60,
        _ => null,
    };

    private static IEnumerable<LintFinding> CheckReadiness(LintSubject subject, Workload workload)
    {
        if (!workload.IsLasting || workload.Containers.Any(container => container.ContainsKey("readinessProbe")))
        {
            return [];
        }

        return subject.ServicesOf(workload).Take(1).Select(service =>
            NoReadiness.Found(workload.Manifest, workload.PodSpec?["containers"], $"{service} leads to it, and no container has a readinessProbe"));
    }

    private static IEnumerable<LintFinding> CheckSurge(LintSubject subject, Workload workload)
    {
        var strategy = workload.Manifest.Node.At("spec", "strategy");
        if (workload.Kind != "Deployment" || workload.Replicas != 1 || strategy.Text("type") == "Recreate")
        {
            yield break;
        }

        var surge = strategy.At("rollingUpdate", "maxSurge");
        var node = surge ?? strategy ?? workload.Manifest.Node["spec"];
        if (surge is not null && surge.ToString() is "0" or "0%")
        {
            yield break;
        }

        // A stateless server behind a Service is meant to run twice for a moment.
        if (workload.PodSpec.Objects("volumes").Any(volume => volume.ContainsKey("persistentVolumeClaim")))
        {
            yield return SingletonSurges.Found(workload.Manifest, node, "one replica with a volume: the new pod waits for the volume that the old one holds");
        }
        else if (!subject.ServicesOf(workload).Any())
        {
            yield return SingletonSurges.Found(workload.Manifest, node, "one replica without a Service: two of it run at the same time during a rollout");
        }
    }
}
