using System.Collections.Immutable;

namespace Cake.K3s.Hardening;

/// <summary>A change that a plan shows, and that an apply carries out.</summary>
/// <param name="Change">What is shown.</param>
/// <param name="RunAsync">Carries it out.</param>
internal sealed record ChangeStep(PlannedChange Change, Func<CancellationToken, Task> RunAsync)
{
    /// <summary>Carries steps out one after the other; once it is cancelled no other begins.</summary>
    /// <returns>What was changed.</returns>
    public static async Task<ImmutableArray<PlannedChange>> CarryOutAsync(IReadOnlyCollection<ChangeStep> steps, CancellationToken cancellationToken)
    {
        foreach (var step in steps)
        {
            cancellationToken.ThrowIfCancellationRequested();
            await step.RunAsync(cancellationToken);
        }

        return [.. steps.Select(step => step.Change)];
    }
}
