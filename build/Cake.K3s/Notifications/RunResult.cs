using Cake.K3s.Settings;

namespace Cake.K3s.Notifications;

/// <summary>What a message tells: how a run of an environment ended.</summary>
/// <param name="App">The app's name.</param>
/// <param name="Environment">The environment's name.</param>
/// <param name="Target">The target that was asked for.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="ExitCode">One of <see cref="ExitCodes"/>.</param>
/// <param name="Failure">What failed, in one line; null for a success.</param>
/// <param name="NextStep">What to do next; null where there is nothing to do.</param>
/// <param name="Release">The release that was verified; null for none.</param>
/// <param name="Duration">How long it took.</param>
/// <param name="Origin">Who ran it, and where.</param>
internal sealed record RunResult(
    string App,
    string Environment,
    string Target,
    RunOutcome Outcome,
    int ExitCode,
    string? Failure,
    string? NextStep,
    int? Release,
    TimeSpan Duration,
    RunOrigin Origin)
{
    /// <summary>How a run with an exit code ended.</summary>
    public static RunOutcome OutcomeOf(int exitCode) => exitCode switch
    {
        ExitCodes.Success => RunOutcome.Success,
        ExitCodes.RolledBack => RunOutcome.RolledBack,
        ExitCodes.Cancelled => RunOutcome.Cancelled,
        _ => RunOutcome.Failure,
    };
}
