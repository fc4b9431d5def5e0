using System.Collections.Immutable;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>What was found out about a failure before anything was changed.</summary>
/// <param name="Directory">Where all of it is kept.</param>
/// <param name="Lines">The most telling part: last log lines, termination messages, events. Masked.</param>
/// <param name="LogSaysWrongArchitecture">Whether a container's log says that its program is for another processor.</param>
internal sealed record Evidence(string Directory, ImmutableArray<string> Lines, bool LogSaysWrongArchitecture)
{
    /// <summary>The verdict in the light of the logs: a program for another processor looks like any crash from outside.</summary>
    public Verdict Refine(Verdict verdict) =>
        LogSaysWrongArchitecture && verdict.Reason is not ContainerStart.WrongArchitectureReason
            ? verdict with { Reason = ContainerStart.WrongArchitectureReason, NextStep = ContainerStart.WrongArchitectureAdvice }
            : verdict;
}
