using System.Collections.Immutable;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>How a rollout ended.</summary>
/// <param name="Failures">The objects that failed; empty for a success.</param>
/// <param name="Count">How many objects were judged.</param>
/// <param name="NewVersionServed">
/// Whether a failed workload's new pods had been ready for a while: then they took traffic, and what came before them was replaced.
/// </param>
internal sealed record RolloutOutcome(ImmutableArray<RolloutFailure> Failures, int Count, bool NewVersionServed)
{
    public bool Succeeded => Failures.IsEmpty;
}

/// <summary>One object that failed.</summary>
/// <param name="Key">The object.</param>
/// <param name="Verdict">Why.</param>
/// <param name="Observation">What was seen; null if the object was not there.</param>
internal sealed record RolloutFailure(ObjectKey Key, Verdict Verdict, Observation? Observation)
{
    /// <summary>What is told of it.</summary>
    public WorkloadFailure ToReport() => new(Key.ToString(), Verdict.Pod, Verdict.Container, Verdict.Reason, Verdict.Message, Verdict.NextStep);

    /// <summary>One line that names workload, pod, container and reason.</summary>
    public override string ToString() =>
        string.Join(", ", new[]
        {
            Key.ToString(),
            Verdict.Pod is null || Verdict.Pod == Key.Name ? null : $"pod {Verdict.Pod}",
            Verdict.Container is null ? null : $"container {Verdict.Container}",
        }.OfType<string>()) + $": {Verdict.Reason}: {Verdict.Message}";
}
