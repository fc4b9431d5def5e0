using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Pods;

/// <summary>What controllers ask about a pod (pkg/api/v1/pod/util.go, pkg/controller/controller_utils.go).</summary>
internal static class PodFacts
{
    /// <summary>It runs, or will.</summary>
    public static bool IsActive(V1Pod pod) => !IsFinished(pod) && pod.Metadata.DeletionTimestamp is null;

    public static bool IsFinished(V1Pod pod) => pod.Status?.Phase is "Succeeded" or "Failed";

    public static bool IsReady(V1Pod pod) => ReadyCondition(pod)?.Status == "True";

    /// <summary>It has been ready for so long; null when it is not ready, else the time that is missing, at least zero.</summary>
    public static TimeSpan? UntilAvailable(V1Pod pod, int minReadySeconds, DateTime now)
    {
        if (ReadyCondition(pod) is not { Status: "True" } ready)
        {
            return null;
        }

        var left = (ready.LastTransitionTime ?? now).AddSeconds(minReadySeconds) - now;
        return minReadySeconds == 0 || left < TimeSpan.Zero ? TimeSpan.Zero : left;
    }

    public static bool IsAvailable(V1Pod pod, int minReadySeconds, DateTime now) => UntilAvailable(pod, minReadySeconds, now) == TimeSpan.Zero;

    /// <summary>The order in which pods are given up: unscheduled, pending, not ready, restarted often, young ones first.</summary>
    public static IOrderedEnumerable<V1Pod> ByDispensability(IEnumerable<V1Pod> pods) => pods
        .OrderBy(pod => string.IsNullOrEmpty(pod.Spec.NodeName) ? 0 : 1)
        .ThenBy(pod => pod.Status?.Phase switch { "Pending" or null => 0, "Unknown" => 1, _ => 2 })
        .ThenBy(pod => IsReady(pod) ? 1 : 0)
        .ThenBy(pod => int.TryParse(pod.Metadata.Annotations?.TryGetValue("controller.kubernetes.io/pod-deletion-cost", out var cost) == true ? cost : "0", out var number) ? number : 0)
        .ThenByDescending(pod => ReadyCondition(pod)?.LastTransitionTime ?? DateTime.MaxValue)
        .ThenByDescending(pod => (pod.Status?.ContainerStatuses ?? []).Select(status => status.RestartCount).DefaultIfEmpty().Max())
        .ThenByDescending(pod => pod.Metadata.CreationTimestamp ?? DateTime.MaxValue);

    private static V1PodCondition? ReadyCondition(V1Pod pod) => pod.Status?.Conditions?.FirstOrDefault(condition => condition.Type == "Ready");
}
