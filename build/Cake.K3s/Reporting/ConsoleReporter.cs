using System.Collections.Concurrent;
using Cake.Core.Diagnostics;
using Cake.K3s.Reporting.Progress;

namespace Cake.K3s.Reporting;

/// <summary>
/// Writes what happens as lines to Cake's log. What only says how far something is comes at most once a second, and not at all
/// beside a live display, which shows it; nor do the lines of programs there, until their task fails.
/// </summary>
internal sealed class ConsoleReporter : IRunObserver, IDisposable
{
    private const int KeptOutput = 200;

    private readonly ConcurrentDictionary<(string, string?, string), string> _workloads = new();
    private readonly ConcurrentDictionary<string, ConcurrentQueue<LineReported>> _output = new(StringComparer.Ordinal);
    private readonly ICakeLog _log;
    private readonly Screen _screen;
    private readonly ThrottledLines _progress;
    private bool _hasSeveralTasks;

    public ConsoleReporter(ICakeLog log, Screen screen, TimeProvider time)
    {
        _log = log;
        _screen = screen;
        _progress = new(time, (source, text) => Write(LineLevel.Step, source, text));
    }

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case LineReported { Level: LineLevel.Output } line when HidesOutput:
                Keep(line);
                break;
            case LineReported line:
                Write(line.Level, line.Source, line.Text);
                break;
            case RunStarted run:
                _hasSeveralTasks = run.Tasks.Length > 1;
                break;
            case TaskEnded ended:
                End(ended);
                break;
            case ImageProgressed image:
                Progress(image.Image, ProgressText.Of(image));
                break;
            case ImageBuilt image:
                _progress.Drop(image.Image);
                break;
            case ImagePushed image:
                _progress.Drop(image.Image);
                break;
            case WorkloadChanged workload:
                Observe(workload);
                break;
        }
    }

    /// <summary>Ends what waits.</summary>
    public void Dispose() => _progress.Dispose();

    private bool HidesOutput => _screen.CanBeLive && _log.Verbosity == Verbosity.Normal;

    private void Observe(WorkloadChanged workload)
    {
        var (name, text) = (ProgressText.NameOf(workload), ProgressText.Of(workload));
        if (workload.State is WorkloadState.Ready or WorkloadState.Failed)
        {
            _progress.Drop(name);
            if (IsNew(workload, text))
            {
                Write(LineLevel.Step, name, text);
            }

            return;
        }

        var pods = string.Join("; ", ProgressText.Telling(workload).Select(pod => $"{pod.Name} {ProgressText.Of(pod)}"));
        text = pods.Length == 0 ? text : $"{text} ({pods})";
        if (IsNew(workload, text))
        {
            Progress(name, text);
        }
    }

    private bool IsNew(WorkloadChanged workload, string text)
    {
        var isNew = true;
        _workloads.AddOrUpdate((workload.Kind, workload.Namespace, workload.Name), text, (_, last) =>
        {
            isNew = last != text;
            return text;
        });
        return isNew;
    }

    private void Progress(string source, string text)
    {
        if (!_screen.CanBeLive)
        {
            _progress.Add(source, text);
        }
    }

    private void Keep(LineReported line)
    {
        var kept = _output.GetOrAdd(line.Task ?? "", _ => []);
        kept.Enqueue(line);
        while (kept.Count > KeptOutput)
        {
            kept.TryDequeue(out _);
        }
    }

    private void End(TaskEnded ended)
    {
        if (_output.TryRemove(ended.Name, out var kept) && ended.Outcome == TaskOutcome.Failed)
        {
            foreach (var line in kept)
            {
                Write(line.Level, line.Source, line.Text);
            }
        }

        if (_hasSeveralTasks)
        {
            Write(LineLevel.Step, ended.Name, ProgressText.Of(ended));
        }
    }

    private void Write(LineLevel level, string source, string text)
    {
        var (verbosity, logLevel) = level == LineLevel.Warning ? (Verbosity.Minimal, LogLevel.Warning) : (Verbosity.Normal, LogLevel.Information);

        // The text goes in as an argument: braces in it are not placeholders.
        _log.Write(verbosity, logLevel, "{0}", $"{source}: {text}");
    }
}
