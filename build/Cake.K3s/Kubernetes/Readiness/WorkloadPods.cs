using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Which pods below a workload count, and the gravest verdict among them.</summary>
internal static class WorkloadPods
{
    /// <summary>The pods of the revision that is being rolled out; what belongs to a former one is not judged.</summary>
    public static ImmutableArray<JsonObject> OfNewRevision(Observation observation)
    {
        var target = observation.Object;
        var pods = observation.Pods.Where(pod => !pod.IsBeingDeleted());
        switch (target.Text("kind"))
        {
            case "Deployment":
                var uid = NewReplicaSet(observation).Uid();
                return [.. pods.Where(pod => pod.IsOwnedBy(uid))];
            case "StatefulSet" when target.Text("status", "updateRevision") is { } revision:
                return [.. pods.Where(pod => pod.Label("controller-revision-hash") == revision)];
            case "DaemonSet" when target.Annotation("deprecated.daemonset.template.generation") is { } generation:
                return [.. pods.Where(pod => (pod.Label("pod-template-generation") ?? generation) == generation)];
            default:
                return [.. pods];
        }
    }

    /// <summary>The ReplicaSet of a Deployment's present template: the one that bears the Deployment's own revision number.</summary>
    public static JsonObject? NewReplicaSet(Observation observation)
    {
        const string revision = "deployment.kubernetes.io/revision";
        return observation.Object.IsObserved() && observation.Object.Annotation(revision) is { } current
            ? observation.ReplicaSets.FirstOrDefault(set => set.Annotation(revision) == current)
            : null;
    }

    /// <summary>The gravest verdict among pods; null where there are none.</summary>
    public static Verdict? Judge(Observation observation, IEnumerable<JsonObject> pods, RolloutOverrides overrides, bool countsCrashes = true)
    {
        var policy = new PodPolicy(observation.StartedAt, observation.Now, overrides, countsCrashes);
        return Verdict.Gravest(pods.Select(pod => PodReadiness.Judge(pod, observation.EventsOf(pod), policy)));
    }

    /// <summary>How many are ready, of how many, and what the first that is not waits for.</summary>
    public static Verdict Progress(long ready, long wanted, Verdict? pods, string what = "ready")
    {
        var message = $"{ready} of {wanted} pods {what}";
        return pods is null or { Class: VerdictClass.Ready }
            ? Verdict.Waiting("Progressing", message)
            : pods with { Message = $"{message}; {pods.Message}" };
    }
}
