using System.Collections.Immutable;

namespace Cake.K3s.Reporting.Report;

/// <summary>Gathers what is kept of a run. Safe to call from many threads.</summary>
internal sealed class RunRecorder(TimeProvider time) : IRunObserver
{
    private const int KeptLines = 400;

    private readonly Lock _gate = new();
    private readonly Dictionary<string, TaskInProgress> _tasks = new(StringComparer.Ordinal);
    private readonly List<string> _order = [];
    private readonly SortedDictionary<string, ImageRecord> _images = new(StringComparer.Ordinal);
    private readonly Dictionary<(string, string?, string), WorkloadInProgress> _workloads = [];
    private RunRecord _record = new();

    /// <summary>Whether a run has begun.</summary>
    public bool HasRun => _record.Target.Length > 0;

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        lock (_gate)
        {
            Take(runEvent);
        }
    }

    /// <summary>The run as it stands now.</summary>
    public RunRecord Record()
    {
        lock (_gate)
        {
            var now = _record.ExitCode is null ? time.GetUtcNow() : _record.EndedAt;
            return _record with
            {
                EndedAt = now,
                Tasks = [.. _order.OrderBy(name => _tasks[name].StartedAt ?? DateTimeOffset.MaxValue).Select(name => _tasks[name].Record(name, now))],
                Images = [.. _images.Values],
                Workloads = [.. _workloads.OrderBy(pair => pair.Key).Select(pair => pair.Value.Record(pair.Key, now))],
            };
        }
    }

    private void Take(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case RunStarted run:
                _record = _record with { Target = run.Target, StartedAt = run.At };
                foreach (var task in run.Tasks)
                {
                    Task(task);
                }

                break;
            case RunEnded run:
                _record = _record with { ExitCode = run.ExitCode, Failure = run.Failure, NextStep = run.NextStep, Details = run.Details, EndedAt = run.At };
                break;
            case TaskStarted task:
                Task(task.Name).StartedAt = task.At;
                break;
            case TaskEnded task:
                Task(task.Name).Ended = task;
                break;
            case LineReported { Task: { } name } line:
                Task(name).Add(new(line.At, line.Level, line.Source, line.Text));
                break;
            case ObjectChanged change:
                _record = _record with { Changes = _record.Changes.Add(new(change.At, change.Kind, change.Namespace, change.Name, change.Change, change.Fields)) };
                break;
            case ReleaseChanged release:
                _record = _record with
                {
                    Release = new(release.Number, release.State, release.Commit, release.IsDirty, release.By, release.SchemaVersion, release.RollbackTo),
                };
                break;
            case VerdictReached verdict:
                _record = _record with
                {
                    Verdicts = _record.Verdicts.Add(
                        new(verdict.At, verdict.Release, verdict.Summary, verdict.Failures, verdict.Evidence, verdict.EvidenceDirectory)),
                };
                break;
            case EarlierReleases earlier:
                _record = _record with { Earlier = earlier.Releases };
                break;
            case WorkloadChanged workload:
                Workload(workload).Take(workload);
                break;
            case ImageBuilt image:
                _images[image.Image] = Image(image.Image) with
                {
                    Repository = image.Repository,
                    Digest = image.Digest,
                    ContentKey = image.ContentKey,
                    BuiltNow = image.IsNew,
                    Commit = image.Commit,
                    IsDirty = image.IsDirty,
                };
                break;
            case ImageSigned image:
                _images[image.Image] = Image(image.Image) with { SignedBy = image.PublicKey, SignedNow = image.IsNew, Statements = image.Statements };
                break;
            case ImagePushed image:
                _images[image.Image] = Image(image.Image) with { Tags = image.Tags, SentBytes = image.SentBytes, VerifyCommand = image.VerifyCommand };
                break;
        }
    }

    private TaskInProgress Task(string name)
    {
        if (!_tasks.TryGetValue(name, out var task))
        {
            _order.Add(name);
            _tasks.Add(name, task = new());
        }

        return task;
    }

    private ImageRecord Image(string name) => _images.GetValueOrDefault(name) ?? new() { Name = name };

    private WorkloadInProgress Workload(WorkloadChanged workload)
    {
        var key = (workload.Kind, workload.Namespace, workload.Name);
        if (!_workloads.TryGetValue(key, out var found))
        {
            _workloads.Add(key, found = new());
        }

        return found;
    }

    private sealed class TaskInProgress
    {
        private readonly Queue<LineRecord> _lines = [];
        private int _leftOut;

        public DateTimeOffset? StartedAt { get; set; }

        public TaskEnded? Ended { get; set; }

        public void Add(LineRecord line)
        {
            _lines.Enqueue(line);
            if (_lines.Count > KeptLines)
            {
                _lines.Dequeue();
                _leftOut++;
            }
        }

        public TaskRecord Record(string name, DateTimeOffset now) => new(
            name,
            Ended?.Outcome.ToString() ?? (StartedAt is null ? "NotRun" : "Running"),
            StartedAt,
            Math.Round((Ended?.Duration ?? now - (StartedAt ?? now)).TotalSeconds, 3),
            Ended?.Reason,
            [.. _lines],
            _leftOut);
    }

    private sealed class WorkloadInProgress
    {
        private readonly SpansInProgress _spans = new();
        private readonly SortedDictionary<string, (PodState Last, SpansInProgress Spans)> _pods = new(StringComparer.Ordinal);

        public void Take(WorkloadChanged workload)
        {
            _spans.Take(workload.State.ToString(), Progress.ProgressText.Of(workload), workload.At);
            foreach (var pod in workload.Pods)
            {
                var spans = _pods.TryGetValue(pod.Name, out var known) ? known.Spans : new();
                spans.Take(pod.Ready || pod.Status == "Completed" ? "Ready" : "Waiting", pod.Status, workload.At);
                _pods[pod.Name] = (pod, spans);
            }

            foreach (var (_, gone) in _pods.Where(known => workload.Pods.All(pod => pod.Name != known.Key)))
            {
                gone.Spans.Take("Gone", "gone", workload.At);
            }
        }

        public WorkloadRecord Record((string Kind, string? Namespace, string Name) key, DateTimeOffset now) => new(
            key.Kind,
            key.Namespace,
            key.Name,
            _spans.Record(now),
            [.. _pods.Values.Select(pod => new PodRecord(pod.Last.Name, pod.Last.IsNew, pod.Last.Node, pod.Last.Restarts, pod.Spans.Record(now)))]);
    }

    private sealed class SpansInProgress
    {
        private readonly List<(string State, string Text, DateTimeOffset From)> _spans = [];

        public void Take(string state, string text, DateTimeOffset at)
        {
            if (_spans.Count == 0 || _spans[^1].State != state || _spans[^1].Text != text)
            {
                _spans.Add((state, text, at));
            }
        }

        public ImmutableArray<SpanRecord> Record(DateTimeOffset end) =>
            [.. _spans.Select((span, index) => new SpanRecord(span.State, span.Text, span.From, index + 1 < _spans.Count ? _spans[index + 1].From : end))];
    }
}
