using Cake.K3s.Settings;

namespace Cake.K3s.Processes;

/// <summary>What a finished command left.</summary>
/// <param name="ExitCode">One of the command's accepted exit codes.</param>
/// <param name="StandardOutput">All of standard output, masked.</param>
/// <param name="StandardError">All of standard error, masked.</param>
/// <param name="Elapsed">Wall time.</param>
public sealed record CommandResult(int ExitCode, string StandardOutput, string StandardError, TimeSpan Elapsed)
{
    /// <summary>Standard output as it came, for a command whose output is a secret; null for every other.</summary>
    public Secret? SecretOutput { get; init; }
}
