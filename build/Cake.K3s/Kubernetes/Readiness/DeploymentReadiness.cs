using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A Deployment is rolled out when its controller has seen the present template and every pod is of it and available.</summary>
internal static class DeploymentReadiness
{
    public static Verdict Judge(Observation observation, RolloutOverrides overrides)
    {
        var target = observation.Object;
        if (!target.IsObserved() || target.Number("status", "observedGeneration") is null)
        {
            return Verdict.Waiting("NotObserved", "its controller has not seen this version yet");
        }

        var wanted = target.Number("spec", "replicas") ?? 1;
        var total = target.Number("status", "replicas") ?? 0;
        var updated = target.Number("status", "updatedReplicas") ?? 0;
        var available = target.Number("status", "availableReplicas") ?? 0;
        var pods = WorkloadPods.Judge(observation, WorkloadPods.OfNewRevision(observation), overrides);
        if (pods?.Class == VerdictClass.Fatal)
        {
            return pods;
        }

        if (updated < wanted && CreationFailure(observation, total - updated) is { } failure)
        {
            return failure;
        }

        if (target.Condition("Progressing") is { } progressing && progressing.Text("reason") == "ProgressDeadlineExceeded")
        {
            return Verdict.Fatal(
                "ProgressDeadlineExceeded", $"{progressing.Text("message")}; {pods?.Message ?? "no pod was made"}",
                "see what the pods wait for, or raise spec.progressDeadlineSeconds") with
            { Pod = pods?.Pod, Container = pods?.Container };
        }

        if (updated < wanted)
        {
            return target.Flag("spec", "paused") == true
                ? Verdict.Fatal("Paused", "the rollout is paused and never ends by itself", $"kubectl -n {target.NamespaceName()} rollout resume deployment/{target.ObjectName()}")
                : WorkloadPods.Progress(updated, wanted, pods, "are updated");
        }

        if (total > updated)
        {
            var former = total - updated == 1 ? "1 pod of another version still runs" : $"{total - updated} pods of another version still run";

            // What keeps them is what the new ones wait for.
            return pods is { Class: not VerdictClass.Ready } ? pods with { Message = $"{pods.Message}; {former}" } : Verdict.Waiting("Progressing", former);
        }

        return available < wanted || pods is { Class: not VerdictClass.Ready }
            ? WorkloadPods.Progress(available, wanted, pods)
            : Verdict.Ready($"{available} of {wanted} pods ready") with { RecheckAt = pods?.RecheckAt };
    }

    private static Verdict? CreationFailure(Observation observation, long oldPods)
    {
        var newSet = WorkloadPods.NewReplicaSet(observation);
        var condition = observation.Object.Condition("ReplicaFailure");
        var message = newSet is null ? null : PodCreation.LastFailure(observation, newSet);
        message ??= condition.Text("status") == "True" ? condition.Text("message") : null;
        return message is null ? null : PodCreation.Judge(message, canFreeQuota: oldPods > 0 && MayGoFirst(observation.Object));
    }

    /// <summary>Whether the strategy lets old pods go before new ones are there.</summary>
    private static bool MayGoFirst(JsonObject deployment)
    {
        if (deployment.Text("spec", "strategy", "type") == "Recreate")
        {
            return true;
        }

        // Kubernetes' default is 25%, rounded down.
        var replicas = deployment.Number("spec", "replicas") ?? 1;
        var text = deployment.Text("spec", "strategy", "rollingUpdate", "maxUnavailable");
        var percent = text is null ? 25 : int.TryParse(text.TrimEnd('%'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;
        return (deployment.Number("spec", "strategy", "rollingUpdate", "maxUnavailable") ?? (replicas * percent / 100)) > 0;
    }
}
