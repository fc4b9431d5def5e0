using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A StatefulSet is rolled out when all pods above its partition are of the new revision, and all are ready.</summary>
internal static class StatefulSetReadiness
{
    public static Verdict Judge(Observation observation, RolloutOverrides overrides)
    {
        var target = observation.Object;
        if (!target.IsObserved() || target.Number("status", "observedGeneration") is null)
        {
            return Verdict.Waiting("NotObserved", "its controller has not seen this version yet");
        }

        var wanted = target.Number("spec", "replicas") ?? 1;
        var partition = target.Number("spec", "updateStrategy", "rollingUpdate", "partition") ?? 0;
        var toUpdate = target.Text("spec", "updateStrategy", "type") == "OnDelete" ? 0 : Math.Max(0, wanted - partition);
        var updated = target.Number("status", "updatedReplicas") ?? 0;
        var ready = target.Number("status", "readyReplicas") ?? 0;
        var available = target.Number("status", "availableReplicas") ?? ready;
        var pods = WorkloadPods.Judge(observation, WorkloadPods.OfNewRevision(observation), overrides);
        if (pods?.Class == VerdictClass.Fatal)
        {
            return pods;
        }

        if ((target.Number("status", "replicas") ?? 0) < wanted && PodCreation.LastFailure(observation, target) is { } failure)
        {
            return PodCreation.Judge(failure, canFreeQuota: false);
        }

        if (updated < toUpdate)
        {
            return WorkloadPods.Progress(updated, toUpdate, pods, "are updated");
        }

        return Math.Min(ready, available) < wanted || pods is { Class: not VerdictClass.Ready }
            ? WorkloadPods.Progress(Math.Min(ready, available), wanted, pods)
            : Verdict.Ready($"{ready} of {wanted} pods ready");
    }
}
