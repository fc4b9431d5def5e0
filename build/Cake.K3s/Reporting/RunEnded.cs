using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>A run has ended, however it did; reported after the last task and before the process ends.</summary>
/// <param name="ExitCode">One of <see cref="ExitCodes"/>, or what a caller's own task ends with.</param>
/// <param name="Failure">What failed, on what and why, in one line; null for a success.</param>
/// <param name="NextStep">What the operator does next; null where there is nothing to do or nothing is known.</param>
/// <param name="Details">Lines that help to understand the failure, oldest first.</param>
public sealed record RunEnded(int ExitCode, string? Failure, string? NextStep, ImmutableArray<string> Details) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => this with
    {
        Failure = Failure is null ? null : hide(Failure),
        NextStep = NextStep is null ? null : hide(NextStep),
        Details = [.. Details.Select(hide)],
    };
}
