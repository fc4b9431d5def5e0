namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>When a rollout began and how long it may take. Progress does not extend it, so a workload that comes and goes still fails.</summary>
/// <param name="StartedAt">When the release was applied.</param>
/// <param name="Deadline">How long each object may take; its annotation <c>cake.k3s/deadline</c> goes first.</param>
internal sealed record RolloutTerms(DateTimeOffset StartedAt, TimeSpan Deadline)
{
    /// <summary>
    /// How long a fault that may pass (a registry that does not answer) is waited out while nothing runs; null for as long as the deadline. For
    /// Jobs that may run for hours, and should not take hours to begin.
    /// </summary>
    public TimeSpan? Patience { get; init; }
}
