using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Progress;
using Cake.K3s.Reporting.Report;

namespace Cake.K3s.Hosting;

/// <summary>What is done when the last task has ended, however it did: the end is told, and the report is written.</summary>
public sealed class RunEnding
{
    private readonly PipelineRun _run;
    private readonly IReporter _reporter;
    private readonly RunRecorder _recorder;
    private readonly ReportFiles _files;
    private readonly Screen _screen;
    private int _interrupts;

    internal RunEnding(PipelineRun run, IReporter reporter, RunRecorder recorder, ReportFiles files, Screen screen)
    {
        _run = run;
        _reporter = reporter;
        _recorder = recorder;
        _files = files;
        _screen = screen;
    }

    /// <summary>Takes a signal that asks the run to end: at the first one it ends in good order, at the second one at once.</summary>
    /// <returns>Whether it is given time to end.</returns>
    public bool Interrupt()
    {
        if (Interlocked.Increment(ref _interrupts) == 1)
        {
            _reporter.Warning("run", "ends: what runs is stopped, and the deploy lock is given back; Ctrl+C once more ends it at once");
            _run.Cancel();
            return true;
        }

        _screen.Abandon("Ended at once. Programs that it started may run on; a deploy lock that was held runs out by itself.");
        return false;
    }

    /// <summary>Ends the run.</summary>
    /// <param name="exception">What it ended with; null for a success.</param>
    public void End(Exception? exception)
    {
        var ended = RunFailure.Of(exception);
        if (ended.ExitCode == ExitCodes.Cancelled)
        {
            ended = Interruption.Of(Record());
        }

        _reporter.Report(ended);
        if (ended.ExitCode == ExitCodes.Cancelled)
        {
            // Of a failure the host tells all; of this it says no more than that it happened.
            foreach (var line in ended.Details)
            {
                _reporter.Step("run", line);
            }

            _reporter.Step("next", ended.NextStep!);
        }

        if (_run.KnownCluster?.AccessFor(ended.NextStep) is { } access)
        {
            _reporter.Step("kubectl", access);
        }

        try
        {
            if (_files.Write(Record()) is { } page)
            {
                _reporter.Step("report", Path.GetRelativePath(_run.Options.Root, page));
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The run itself has ended as it has; a full disk changes nothing about that.
            _reporter.Warning("report", $"it cannot be written to {_run.Options.ArtifactsDirectory}: {e.Message}");
        }
    }

    private RunRecord Record() => _recorder.Record() with { App = _run.KnownSettings?.App, Environment = _run.KnownEnvironment };
}
