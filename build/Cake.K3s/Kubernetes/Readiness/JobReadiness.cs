using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>
/// A Job is done when it is complete. How often its pods may fail is its own backoffLimit; a pod that can never start is fatal at
/// once, as the Job would wait for it for ever.
/// </summary>
internal static class JobReadiness
{
    public static Verdict Judge(Observation observation, RolloutOverrides overrides)
    {
        var target = observation.Object;
        if (target.IsTrue("Complete") || target.IsTrue("SuccessCriteriaMet"))
        {
            return Verdict.Ready("complete");
        }

        if ((target.Condition("Failed") ?? target.Condition("FailureTarget")) is { } failed && failed.Text("status") == "True")
        {
            var last = observation.Pods.OrderBy(pod => pod.CreatedAt()).LastOrDefault();
            var container = last.ContainerStatuses()
                .FirstOrDefault(status => (status.Number("state", "terminated", "exitCode") ?? status.Number("lastState", "terminated", "exitCode")) is > 0);
            var reason = failed.Text("reason") ?? "Failed";
            var message = failed.Text("message") ?? "the Job failed";
            if (last is null || container is null)
            {
                return Verdict.Fatal(reason, message, $"see why with: kubectl -n {target.NamespaceName()} describe job {target.ObjectName()}");
            }

            var ended = ContainerCrashes.Ended(last, container);
            return ended with { Reason = reason, Message = $"{message}; {ended.Message}", Pod = last.ObjectName(), Container = container.Text("name") };
        }

        if (target.Flag("spec", "suspend") == true)
        {
            return Verdict.Waiting("Suspended", "is suspended");
        }

        var pods = WorkloadPods.Judge(observation, observation.Pods.Where(pod => !pod.IsBeingDeleted()), overrides, countsCrashes: false);
        if (pods?.Class == VerdictClass.Fatal)
        {
            return pods;
        }

        if (observation.Pods.IsEmpty && PodCreation.LastFailure(observation, target) is { } failure)
        {
            return PodCreation.Judge(failure, canFreeQuota: false);
        }

        return pods?.Class == VerdictClass.Transient ? pods : Verdict.Waiting("Running", "runs");
    }
}
