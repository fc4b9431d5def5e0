namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>When a rollout began and how long it may take. Progress does not extend it, so a workload that comes and goes still fails.</summary>
/// <param name="StartedAt">When the release was applied.</param>
/// <param name="Deadline">How long each object may take; its annotation <c>cake.k3s/deadline</c> goes first.</param>
internal sealed record RolloutTerms(DateTimeOffset StartedAt, TimeSpan Deadline);
