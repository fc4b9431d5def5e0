namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>How the pods of one workload are judged.</summary>
/// <param name="StartedAt">When the rollout began; what ended before it is not held against a pod.</param>
/// <param name="Now">The moment that is judged.</param>
/// <param name="Overrides">What the workload's annotations say.</param>
/// <param name="CountsCrashes">False below a Job, which has a budget of its own.</param>
internal sealed record PodPolicy(DateTimeOffset StartedAt, DateTimeOffset Now, RolloutOverrides Overrides, bool CountsCrashes = true);
