namespace Cake.K3s.Reporting;

/// <summary>A task has ended. Tasks of <see cref="RunStarted"/> of which none is reported did not run, because of a failure before them.</summary>
/// <param name="Name">The task's name.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Reason">Why it was skipped or failed, in one line; null where there is nothing to say.</param>
public sealed record TaskEnded(string Name, TaskOutcome Outcome, TimeSpan Duration, string? Reason) : RunEvent
{
    /// <inheritdoc/>
    protected internal override RunEvent Masked(Func<string, string> hide) => Reason is null ? this : this with { Reason = hide(Reason) };
}

/// <summary>How a task ended.</summary>
public enum TaskOutcome
{
    /// <summary>It did what it is for.</summary>
    Succeeded,

    /// <summary>Its criteria said that there is nothing to do.</summary>
    Skipped,

    /// <summary>It failed; the run goes on all the same if the task continues on errors.</summary>
    Failed,

    /// <summary>The run was cancelled while it ran.</summary>
    Cancelled,
}
