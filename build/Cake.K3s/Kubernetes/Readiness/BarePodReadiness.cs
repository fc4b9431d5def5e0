namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>A pod of its own is rolled out when it is ready, or has completed.</summary>
internal static class BarePodReadiness
{
    public static Verdict Judge(Observation observation, RolloutOverrides overrides) =>
        PodReadiness.Judge(
            observation.Object, observation.EventsOf(observation.Object), new PodPolicy(observation.StartedAt, observation.Now, overrides));
}
