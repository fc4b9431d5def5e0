using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Judges one pod: where it is placed, its volumes, its init containers in order, then its containers.</summary>
internal static class PodReadiness
{
    /// <param name="pod">The pod.</param>
    /// <param name="events">Its events, oldest first.</param>
    /// <param name="policy">How the workload is judged.</param>
    public static Verdict Judge(JsonObject pod, IEnumerable<JsonObject> events, PodPolicy policy)
    {
        var seen = events.ToImmutableArray();
        var verdict = JudgePhase(pod, policy)
            ?? PodScheduling.Judge(pod)
            ?? Verdict.Gravest(Containers(pod, seen, policy).Append(PodVolumes.Judge(pod, seen)).OfType<Verdict>())
            ?? Verdict.Waiting("Pending", "waits for its containers");
        if (verdict.Class == VerdictClass.Ready && pod.Text("status", "phase") != "Succeeded" && !IsReady(pod))
        {
            verdict = Verdict.Waiting("NotReady", pod.Condition("Ready").Text("message") ?? "is not ready yet");
        }

        return verdict with { Pod = pod.ObjectName() };
    }

    public static bool IsReady(JsonObject pod) => pod.IsTrue("Ready") && !pod.IsBeingDeleted();

    private static Verdict? JudgePhase(JsonObject pod, PodPolicy policy)
    {
        switch (pod.Text("status", "phase"))
        {
            case "Succeeded":
                return Verdict.Ready("completed");
            case "Failed" when pod.Text("status", "reason") is "Evicted" or "Preempting" or "Preempted" or "NodeAffinity" or "NodeShutdown"
                or "Terminated" or "UnexpectedAdmissionError" || pod.IsTrue("DisruptionTarget"):
                // The controller makes another one in its place.
                return Verdict.Transient(
                    pod.Text("status", "reason") ?? "Disrupted", pod.Text("status", "message") ?? "was ended by its node; another pod takes its place");
            case "Failed" when policy.CountsCrashes:
                var failure = pod.ContainerStatuses()
                    .FirstOrDefault(status => status.Number("state", "terminated", "exitCode") is > 0);
                return failure is null
                    ? Verdict.Fatal(
                        pod.Text("status", "reason") ?? "Failed", pod.Text("status", "message") ?? "the pod failed",
                        $"see why with: kubectl -n {pod.NamespaceName()} describe pod {pod.ObjectName()}")
                    : ContainerCrashes.Ended(pod, failure);
            case "Failed":
                return Verdict.Waiting("Failed", "failed; its controller decides whether to try again");
            default:
                return null;
        }
    }

    private static IEnumerable<Verdict> Containers(JsonObject pod, ImmutableArray<JsonObject> events, PodPolicy policy)
    {
        foreach (var status in pod.Objects("status", "initContainerStatuses"))
        {
            var spec = Spec(pod, "initContainers", status);
            var isSidecar = spec.Text("restartPolicy") == "Always";
            if (!isSidecar && status.Number("state", "terminated", "exitCode") == 0)
            {
                continue;
            }

            yield return ContainerReadiness.Judge(pod, spec, status, events, policy, isInit: !isSidecar)
                with
            { Container = status.Text("name") };
        }

        foreach (var status in pod.Objects("status", "containerStatuses"))
        {
            yield return ContainerReadiness.Judge(pod, Spec(pod, "containers", status), status, events, policy, isInit: false)
                with
            { Container = status.Text("name") };
        }
    }

    private static JsonObject? Spec(JsonObject pod, string list, JsonObject status) =>
        pod.Objects("spec", list).FirstOrDefault(container => container.Text("name") == status.Text("name"));
}
