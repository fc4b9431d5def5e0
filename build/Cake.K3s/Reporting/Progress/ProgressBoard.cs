using System.Collections.Immutable;

namespace Cake.K3s.Reporting.Progress;

/// <summary>What goes on in a run right now, for a display. Safe to call from many threads.</summary>
internal sealed class ProgressBoard
{
    // As many as fit a line of 80 characters with the usual names.
    private const int DoneInLine = 4;

    private readonly Lock _gate = new();
    private readonly List<TaskEnded> _ended = [];
    private readonly List<RunningTask> _running = [];
    private RunStarted? _run;

    /// <summary>Takes an event.</summary>
    public void Take(RunEvent runEvent)
    {
        lock (_gate)
        {
            switch (runEvent)
            {
                case RunStarted run:
                    _run = run;
                    break;
                case TaskStarted started:
                    _running.Add(new(started.Name, started.At));
                    break;
                case TaskEnded ended:
                    _running.RemoveAll(task => task.Name == ended.Name);
                    _ended.Add(ended);
                    break;
                case ImageProgressed image:
                    Of(image)?.Images[image.Image] = image;
                    break;
                case ImagePushed image:
                    Of(image)?.Forget(image.Image);
                    break;
                case ImageBuilt image:
                    Of(image)?.Forget(image.Image);
                    break;
                case WorkloadChanged workload:
                    Of(workload)?.Workloads[(workload.Kind, workload.Namespace, workload.Name)] = workload;
                    break;
                case LineReported { Level: LineLevel.Output } line when !string.IsNullOrWhiteSpace(line.Text):
                    Of(line)?.Output[line.Source] = line.Text.Trim();
                    break;
            }
        }
    }

    /// <summary>The lines of the display, from top to bottom.</summary>
    public ImmutableArray<ProgressLine> Lines(DateTimeOffset now)
    {
        lock (_gate)
        {
            if (_run is null)
            {
                return [];
            }

            var waiting = _run.Tasks.Except(_running.Select(task => task.Name)).Except(_ended.Select(task => task.Name)).ToList();
            List<ProgressLine> lines = [new(LineTone.Title, 0, $"{_run.Target}, {ProgressText.Running(now - _run.At)}")];
            lines.AddRange(_ended.Where(task => task.Outcome is TaskOutcome.Failed or TaskOutcome.Cancelled)
                .Select(task => new ProgressLine(LineTone.Bad, 1, $"{task.Name} {ProgressText.Of(task)}")));
            lines.AddRange(_ended.Where(task => task.Outcome is TaskOutcome.Succeeded or TaskOutcome.Skipped)
                .Select(task => $"{task.Name} {ProgressText.Of(task.Duration)}")
                .Chunk(DoneInLine)
                .Select(done => new ProgressLine(LineTone.Good, 1, "done: " + string.Join(", ", done))));

            lines.AddRange(_running.Count > 0 ? _running.SelectMany(task => Lines(task, now)) : [new(LineTone.Busy, 1, "checks what the tasks need")]);
            if (waiting.Count > 0)
            {
                lines.Add(new(LineTone.Quiet, 1, "next: " + string.Join(", ", waiting)));
            }

            return [.. lines];
        }
    }

    /// <summary>The tasks that run, each with the last that is known of it, in one line.</summary>
    public string Waiting(DateTimeOffset now)
    {
        lock (_gate)
        {
            return _running.Count > 0 || _run is null
                ? string.Join("; ", _running.Select(task => $"{task.Name} ({ProgressText.Running(now - task.Since)}){Detail(task)}"))
                : $"what the tasks need ({ProgressText.Running(now - _run.At)})";
        }
    }

    private static string Detail(RunningTask task) =>
        task.Workloads.Values.FirstOrDefault(workload => workload.State != WorkloadState.Ready) is { } workload ? $": {ProgressText.NameOf(workload)}: {ProgressText.Of(workload)}"
        : task.Images.Values.FirstOrDefault() is { } image ? $": {image.Image}: {ProgressText.Of(image)}"
        : task.Output.FirstOrDefault() is { Key: not null } output ? $": {output.Key}: {output.Value}"
        : "";

    private static IEnumerable<ProgressLine> Lines(RunningTask task, DateTimeOffset now)
    {
        yield return new(LineTone.Busy, 1, $"{task.Name} {ProgressText.Running(now - task.Since)}");
        foreach (var image in task.Images.Values)
        {
            yield return new(LineTone.Plain, 2, $"{image.Image}: {ProgressText.Of(image)}") { Share = ShareOf(image) };
        }

        foreach (var workload in task.Workloads.Values)
        {
            var tone = workload.State switch
            {
                WorkloadState.Ready => LineTone.Good,
                WorkloadState.Failed => LineTone.Bad,
                WorkloadState.Struggling => LineTone.Doubtful,
                _ => LineTone.Plain,
            };
            yield return new(tone, 2, $"{ProgressText.NameOf(workload)}: {ProgressText.Of(workload)}");
            foreach (var pod in workload.State == WorkloadState.Ready ? [] : ProgressText.Telling(workload))
            {
                yield return new(LineTone.Quiet, 3, $"{pod.Name}: {ProgressText.Of(pod)}");
            }
        }

        foreach (var (source, text) in task.Output.Where(output => !task.Images.ContainsKey(output.Key)))
        {
            yield return new(LineTone.Quiet, 2, $"{source}: {text}");
        }
    }

    // A step of a build counts as half done while it runs.
    private static double ShareOf(ImageProgressed image) =>
        (image.Stage == ImageStage.Build ? image.Done - 0.5 : image.Done) / Math.Max(1, image.Total);

    // What tasks report after their end shows nowhere.
    private RunningTask? Of(RunEvent runEvent) => _running.Find(task => task.Name == runEvent.Task);

    private sealed record RunningTask(string Name, DateTimeOffset Since)
    {
        public SortedDictionary<string, ImageProgressed> Images { get; } = new(StringComparer.Ordinal);

        public SortedDictionary<(string, string?, string), WorkloadChanged> Workloads { get; } = [];

        // The last line of each program.
        public SortedDictionary<string, string> Output { get; } = new(StringComparer.Ordinal);

        public void Forget(string image)
        {
            Images.Remove(image);
            Output.Remove(image);
        }
    }
}

/// <summary>One line of a display.</summary>
/// <param name="Tone">How it looks.</param>
/// <param name="Depth">How far it is indented, in steps.</param>
/// <param name="Text">What it says.</param>
internal sealed record ProgressLine(LineTone Tone, int Depth, string Text)
{
    /// <summary>How much is done, from 0 to 1, for a bar; null for none.</summary>
    public double? Share { get; init; }
}

/// <summary>How a line looks.</summary>
internal enum LineTone
{
    /// <summary>The line above all others.</summary>
    Title,

    /// <summary>Goes on.</summary>
    Busy,

    /// <summary>As any text.</summary>
    Plain,

    /// <summary>Has succeeded.</summary>
    Good,

    /// <summary>Is wrong and may recover.</summary>
    Doubtful,

    /// <summary>Has failed.</summary>
    Bad,

    /// <summary>Of less interest.</summary>
    Quiet,
}
