using System.Collections.Concurrent;
using Cake.Core.Diagnostics;

namespace Cake.K3s.Reporting;

/// <summary>Writes events as plain lines to Cake's log.</summary>
internal sealed class ConsoleReporter(ICakeLog log) : IRunObserver
{
    private readonly ConcurrentDictionary<(string, string?, string), string> _workloads = new();

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        var line = runEvent switch
        {
            LineReported reported => reported,
            WorkloadChanged change when IsNew(change) => new LineReported(LineLevel.Step, $"{change.Kind}/{change.Name}", Describe(change)),
            _ => null,
        };
        if (line is null)
        {
            return;
        }

        var text = $"{line.Source}: {line.Text}";
        var (verbosity, level) = line.Level switch
        {
            LineLevel.Warning => (Verbosity.Minimal, LogLevel.Warning),
            _ => (Verbosity.Normal, LogLevel.Information),
        };

        // The text goes in as an argument: braces in it are not placeholders.
        log.Write(verbosity, level, "{0}", text);
    }

    /// <summary>Whether the line differs from the last one of its workload; its pods alone may have changed, which no line shows.</summary>
    private bool IsNew(WorkloadChanged change)
    {
        var text = Describe(change);
        var isNew = true;
        _workloads.AddOrUpdate((change.Kind, change.Namespace, change.Name), text, (_, last) =>
        {
            isNew = last != text;
            return text;
        });
        return isNew;
    }

    private static string Describe(WorkloadChanged change) => change.State switch
    {
        WorkloadState.Failed => $"failed: {change.Message}",
        WorkloadState.Struggling => $"may recover: {change.Message}",
        _ => change.Message,
    };
}
