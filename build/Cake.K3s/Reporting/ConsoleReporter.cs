using Cake.Core.Diagnostics;
using Cake.K3s.Processes;

namespace Cake.K3s.Reporting;

/// <summary>Writes events as plain lines to Cake's log, masked: the same words on a terminal and in CI.</summary>
internal sealed class ConsoleReporter(ICakeLog log, ISecretMask mask) : IReporter
{
    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        var line = runEvent switch
        {
            LineReported reported => reported,
            WorkloadChanged change => new LineReported(LineLevel.Step, $"{change.Kind}/{change.Name}", Describe(change)),
            _ => null,
        };
        if (line is null)
        {
            return;
        }

        var text = $"{line.Source}: {mask.Hide(line.Text)}";
        var (verbosity, level) = line.Level switch
        {
            LineLevel.Warning => (Verbosity.Minimal, LogLevel.Warning),
            _ => (Verbosity.Normal, LogLevel.Information),
        };

        // The text goes in as an argument: braces in it are not placeholders.
        log.Write(verbosity, level, "{0}", text);
    }

    private static string Describe(WorkloadChanged change) => change.State switch
    {
        WorkloadState.Failed => $"failed: {change.Message}",
        WorkloadState.Struggling => $"may recover: {change.Message}",
        _ => change.Message,
    };
}
