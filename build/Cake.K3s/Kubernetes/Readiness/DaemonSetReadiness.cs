using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A DaemonSet is rolled out when every node it is meant for has an available pod of the present template.</summary>
internal static class DaemonSetReadiness
{
    public static Verdict Judge(Observation observation, RolloutOverrides overrides)
    {
        var target = observation.Object;
        if (!target.IsObserved() || target.Number("status", "observedGeneration") is null)
        {
            return Verdict.Waiting("NotObserved", "its controller has not seen this version yet");
        }

        var wanted = target.Number("status", "desiredNumberScheduled") ?? 0;
        var updated = target.Text("spec", "updateStrategy", "type") == "OnDelete" ? wanted : target.Number("status", "updatedNumberScheduled") ?? 0;
        var available = target.Number("status", "numberAvailable") ?? 0;
        var pods = WorkloadPods.Judge(observation, WorkloadPods.OfNewRevision(observation), overrides);
        if (pods?.Class == VerdictClass.Fatal)
        {
            return pods;
        }

        if ((target.Number("status", "currentNumberScheduled") ?? 0) < wanted && PodCreation.LastFailure(observation, target) is { } failure)
        {
            return PodCreation.Judge(failure, canFreeQuota: false);
        }

        if (updated < wanted)
        {
            return WorkloadPods.Progress(updated, wanted, pods, "are updated");
        }

        return available < wanted || pods is { Class: not VerdictClass.Ready }
            ? WorkloadPods.Progress(available, wanted, pods)
            : Verdict.Ready(wanted == 0 ? "no node is meant to run it" : $"{available} of {wanted} pods ready");
    }
}
