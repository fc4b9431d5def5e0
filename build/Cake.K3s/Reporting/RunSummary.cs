using System.Globalization;
using System.Text;

namespace Cake.K3s.Reporting;

/// <summary>What came of a run, in words that fit on a page of a forge or into a message. Collects events; safe to call from many threads.</summary>
internal sealed class RunSummary
{
    private readonly Lock _gate = new();
    private readonly List<TaskEnded> _tasks = [];
    private readonly SortedDictionary<string, string> _images = new(StringComparer.Ordinal);
    private readonly List<ObjectChanged> _objects = [];
    private RunEnded? _ended;
    private VerdictReached? _verdict;
    private ReleaseChanged? _release;
    private PlanMade? _plan;
    private DateTimeOffset _start;
    private DateTimeOffset _end;

    /// <summary>The target that was asked for.</summary>
    public string Target { get; private set; } = "";

    /// <summary>How long the run took.</summary>
    public TimeSpan Duration => _end - _start;

    /// <summary>The release that this run verified; null for none.</summary>
    public int? VerifiedRelease
    {
        get
        {
            lock (_gate)
            {
                return _verdict is { Failures.IsEmpty: true } && _release is { State: "Verified", RollbackTo: null } release ? release.Number : null;
            }
        }
    }

    /// <summary>Takes an event.</summary>
    public void Observe(RunEvent runEvent)
    {
        lock (_gate)
        {
            switch (runEvent)
            {
                case RunStarted started: (Target, _start) = (started.Target, started.At); break;
                case TaskEnded ended: _tasks.Add(ended); break;
                case ImagePushed pushed: _images[pushed.Image] = pushed.Reference; break;
                case ObjectChanged changed: _objects.Add(changed); break;
                case ReleaseChanged release: _release = release; break;
                case VerdictReached verdict: _verdict = verdict; break;
                case PlanMade plan: _plan = plan; break;
                case RunEnded ended: (_ended, _end) = (ended, ended.At); break;
            }
        }
    }

    /// <summary>The whole, as Markdown.</summary>
    public string Markdown()
    {
        lock (_gate)
        {
            var text = new StringBuilder();
            Append(text, $"## {Target}: {(_ended?.ExitCode == ExitCodes.Success ? "done" : "failed")} in {Text(Duration)}\n\n");
            if (_ended?.Failure is { } failure)
            {
                Append(text, $"**{failure}**\n\n");
                if (_ended.NextStep is { } step)
                {
                    Append(text, $"Next: {step}\n\n");
                }
            }

            AppendVerdict(text);
            if (_plan is { } plan)
            {
                Append(text, $"{plan.Markdown.Trim()}\n\n");
            }

            AppendImages(text);
            text.Append("| task | | time |\n|---|---|---|\n");
            _tasks.ForEach(task => Append(text, $"| {task.Name} | {task.Outcome.ToString().ToLowerInvariant()}{(task.Reason is null ? "" : ": " + Cell(task.Reason))} | {Text(task.Duration)} |\n"));
            return text.Append('\n').ToString();
        }
    }

    /// <summary>What a verified release holds, as Markdown.</summary>
    public string ReleaseNotes()
    {
        lock (_gate)
        {
            var text = new StringBuilder();
            AppendVerdict(text);
            AppendImages(text);
            if (_release is { } release)
            {
                Append(text, $"Deployed by {release.By}{(release.SchemaVersion is { } schema ? $"; database schema {schema}" : "")}.\n");
            }

            return text.ToString().TrimEnd();
        }
    }

    /// <summary>A time as people say it.</summary>
    public static string Text(TimeSpan time) => time.TotalMinutes >= 1
        ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:0.0} s");

    private void AppendVerdict(StringBuilder text)
    {
        if (_verdict is not { } verdict)
        {
            return;
        }

        Append(text, $"{verdict.Summary}\n\n");
        foreach (var failure in verdict.Failures)
        {
            Append(text, $"- `{failure.Workload}`{(failure.Pod is null ? "" : $" pod `{failure.Pod}`")}: {failure.Reason}: {failure.Message}\n");
        }

        if (!verdict.Evidence.IsEmpty)
        {
            Append(text, $"\n````\n{string.Join('\n', verdict.Evidence)}\n````\n\n");
        }

        if (_objects.Count > 0)
        {
            Append(text, $"{_objects.Count} object{(_objects.Count == 1 ? "" : "s")} changed.\n\n");
        }
    }

    private void AppendImages(StringBuilder text)
    {
        if (_images.Count == 0)
        {
            return;
        }

        text.Append("| image | reference |\n|---|---|\n");
        foreach (var (name, reference) in _images)
        {
            Append(text, $"| {name} | `{reference}` |\n");
        }

        text.Append('\n');
    }

    private static void Append(StringBuilder text, FormattableString value) => text.Append(value.ToString(CultureInfo.InvariantCulture));

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal).ReplaceLineEndings(" ");
}
