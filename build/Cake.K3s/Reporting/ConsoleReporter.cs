using Cake.Core.Diagnostics;
using Cake.K3s.Processes;

namespace Cake.K3s.Reporting;

/// <summary>Writes events as plain lines to Cake's log, masked: the same words on a terminal and in CI.</summary>
internal sealed class ConsoleReporter(ICakeLog log, ISecretMask mask) : IReporter
{
    /// <inheritdoc/>
    public void Report(RunEvent runEvent)
    {
        if (runEvent is not LineReported line)
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
}
