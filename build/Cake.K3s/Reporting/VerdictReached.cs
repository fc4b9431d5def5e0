using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>A rollout has succeeded or failed.</summary>
/// <param name="Release">What was rolled out, e.g. <c>release 7</c>.</param>
/// <param name="Summary">One line.</param>
/// <param name="Failures">The workloads that failed; empty for a success.</param>
/// <param name="Evidence">The most telling lines of logs, termination messages and events.</param>
/// <param name="EvidenceDirectory">Absolute path of the folder with all evidence; null where there is none.</param>
public sealed record VerdictReached(
    string Release, string Summary, ImmutableArray<WorkloadFailure> Failures, ImmutableArray<string> Evidence, string? EvidenceDirectory) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => this with
    {
        Summary = hide(Summary),
        Failures = [.. Failures.Select(failure => failure with { Message = hide(failure.Message) })],
        Evidence = [.. Evidence.Select(hide)],
    };
}

/// <summary>A workload that failed.</summary>
/// <param name="Workload">As <c>Deployment/api</c>.</param>
/// <param name="Pod">The pod that decided it; null for the workload itself.</param>
/// <param name="Container">The container that decided it; null for the pod or the workload itself.</param>
/// <param name="Reason">Kubernetes' own word where it has one, e.g. <c>ImagePullBackOff</c>.</param>
/// <param name="Message">One line.</param>
/// <param name="NextStep">What the operator does next; null where nothing is known.</param>
public sealed record WorkloadFailure(string Workload, string? Pod, string? Container, string Reason, string Message, string? NextStep);
