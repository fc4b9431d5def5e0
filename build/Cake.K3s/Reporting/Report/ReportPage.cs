using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Cake.K3s.Reporting.Progress;

namespace Cake.K3s.Reporting.Report;

/// <summary>A run as one HTML page that needs no other file, no network and no script.</summary>
internal static class ReportPage
{
    /// <summary>The page's text.</summary>
    public static string Of(RunRecord run)
    {
        var sections = Sections(run).Where(section => section.Content.Length > 0).ToList();
        var page = new XElement(
            "html",
            new XAttribute("lang", "en"),
            new XElement(
                "head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("meta", new XAttribute("http-equiv", "Content-Security-Policy"), new XAttribute("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")),
                new XElement("meta", new XAttribute("name", "color-scheme"), new XAttribute("content", "light dark")),

                // Without it browsers ask for one.
                new XElement("link", new XAttribute("rel", "icon"), new XAttribute("href", "data:,")),
                new XElement("title", $"{run.Target} {run.Outcome}"),
                new XElement("style", ReportStyle.Css)),
            new XElement(
                "body",
                Header(run),
                new XElement("nav", new XAttribute("aria-label", "Parts of this report"), sections.Select(section => new XElement("a", new XAttribute("href", "#" + section.Id), section.Title))),
                new XElement(
                    "main",
                    sections.Select(section => new XElement("section", new XAttribute("id", section.Id), new XElement("h2", section.Title), section.Content))),
                new XElement("footer", "The same for programs: ", new XElement("a", new XAttribute("href", ReportFiles.JsonName), ReportFiles.JsonName))));
        return "<!doctype html>\n" + Text(page) + "\n";
    }

    private static IEnumerable<Section> Sections(RunRecord run) =>
    [
        new("verdict", "Verdict", [.. run.Verdicts.SelectMany(Verdict)]),
        new("timeline", "Timeline", run.Tasks.Any(task => task.StartedAt is not null) ? [Timeline(run)] : []),
        new("changes", $"Changes in the cluster ({run.Changes.Length})", run.Changes.IsEmpty && run.Release is null ? [] : [Changes(run)]),
        new("images", $"Images ({run.Images.Length})", [.. run.Images.Select(Image)]),
        new("timings", "Timings", run.Earlier.IsEmpty ? [] : [.. Timings(run)]),
        new("log", "Log", [.. run.Tasks.Where(task => !task.Lines.IsEmpty).Select(Log)]),
    ];

    private static XElement Header(RunRecord run)
    {
        var facts = new (string Name, string? Value)[]
        {
            ("App", run.App),
            ("Environment", run.Environment),
            ("Release", run.Release is { } release ? $"{release.Number}, {Words(release.State)}{(release.RollbackTo is null ? "" : $", puts release {release.RollbackTo} back")}" : null),
            ("Commit", run.Release?.Commit is { } commit ? commit[..Math.Min(12, commit.Length)] + (run.Release.IsDirty ? " with changes" : "") : null),
            ("By", run.Release?.By),
            ("Schema", run.Release?.SchemaVersion),
            ("Began", run.StartedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture)),
            ("Took", ProgressText.Of(run.EndedAt - run.StartedAt)),
            ("Exit code", run.ExitCode?.ToString(CultureInfo.InvariantCulture)),
        };
        return new XElement(
            "header",
            new XElement("p", new XAttribute("class", "badge " + (run.ExitCode == ExitCodes.Success ? "good" : "bad")), run.Outcome),
            new XElement("h1", run.Target),
            new XElement("dl", facts.Where(fact => fact.Value is not null).Select(fact => new XElement("div", new XElement("dt", fact.Name), new XElement("dd", fact.Value)))),
            run.Failure is null
                ? null
                : new XElement(
                    "div",
                    new XAttribute("class", "failure"),
                    new XAttribute("role", "alert"),
                    new XElement("p", new XElement("strong", run.Failure)),
                    Untold(run) is { IsEmpty: false } details ? Lines(details) : null,
                    run.NextStep is null ? null : new XElement("p", new XElement("b", "Next: "), run.NextStep)));
    }

    // What the verdict shows as evidence is not shown twice.
    private static ImmutableArray<string> Untold(RunRecord run) => [.. run.Details.Except(run.Verdicts.SelectMany(verdict => verdict.Evidence))];

    private static IEnumerable<XElement> Verdict(VerdictRecord verdict)
    {
        yield return new XElement("p", new XAttribute("class", verdict.Failures.IsEmpty ? "ok" : "wrong"), verdict.Failures.IsEmpty ? $"✓ {verdict.Release}: {verdict.Summary}" : $"✗ {verdict.Summary}");
        foreach (var failure in verdict.Failures)
        {
            var where = string.Join(", ", new[] { failure.Pod is null ? null : $"pod {failure.Pod}", failure.Container is null ? null : $"container {failure.Container}" }.OfType<string>());
            yield return new XElement(
                "div",
                new XAttribute("class", "card"),
                new XElement("h3", $"{failure.Workload}: {failure.Reason}"),
                where.Length == 0 ? null : new XElement("p", new XAttribute("class", "quiet"), where),
                new XElement("p", failure.Message),
                failure.NextStep is null ? null : new XElement("p", new XElement("b", "Next: "), failure.NextStep));
        }

        if (!verdict.Evidence.IsEmpty)
        {
            yield return new XElement("details", new XAttribute("open", ""), new XElement("summary", "Evidence"), Lines(verdict.Evidence));
        }

        if (verdict.EvidenceDirectory is { } directory)
        {
            yield return new XElement("p", new XAttribute("class", "quiet"), "All evidence: ", new XElement("code", directory));
        }
    }

    // What comes before the first task: tools are fetched, the environment is opened, requirements are checked.
    private static readonly TimeSpan WorthARow = TimeSpan.FromSeconds(1);

    private static XElement Timeline(RunRecord run)
    {
        var scale = new Scale(run.StartedAt, run.EndedAt);
        var rows = run.Tasks.Select(task => task.StartedAt is { } start
            ? Row(task.Name, "task", ProgressText.Of(TimeSpan.FromSeconds(task.Seconds)), scale.Bars(task.Name, [new(task.State, Words(task.State), start, start.AddSeconds(task.Seconds))]))
            : Row(task.Name, "task", "not run", []));
        if (run.Tasks.Min(task => task.StartedAt) is { } first && first - run.StartedAt >= WorthARow)
        {
            rows = rows.Prepend(Row(
                "Preparation", "task", ProgressText.Of(first - run.StartedAt), scale.Bars("Preparation", [new("Succeeded", "tools, environment, requirements", run.StartedAt, first)])));
        }

        var workloads = run.Workloads.Where(HasHistory).SelectMany(workload => workload.Pods
            .Select(pod => Row(
                pod.Name,
                "pod",
                pod.Spans[^1].Text + (pod.Restarts switch { 0 => "", 1 => ", 1 restart", var count => $", {count} restarts" }),
                scale.Bars(pod.Name, pod.Spans.Where(span => span.State != "Gone"))))
            .Prepend(Row(
                $"{workload.Kind}/{workload.Name}",
                "workload",
                workload.Spans[^1].State == "Ready" ? "ready" : workload.Spans[^1].Text,
                scale.Bars(workload.Name, workload.Spans))));
        return new XElement(
            "div",
            new XElement("div", new XAttribute("class", "timeline"), rows, workloads),
            new XElement("p", new XAttribute("class", "axis"), new XElement("span", "0 s"), new XElement("span", ProgressText.Of(run.EndedAt - run.StartedAt))),
            new XElement(
                "p",
                new XAttribute("class", "legend"),
                ((string, string)[])[("good", "done or ready"), ("busy", "on its way"), ("doubtful", "may recover"), ("bad", "failed")] is var looks
                    ? looks.Select(look => new XElement("span", new XElement("i", new XAttribute("class", look.Item1), ""), look.Item2))
                    : null));
    }

    // A Service is ready from the first look on.
    private static bool HasHistory(WorkloadRecord workload) => !workload.Pods.IsEmpty || workload.Spans.Any(span => span.State != "Ready");

    private static XElement Row(string name, string kind, string note, IEnumerable<XElement> bars) => new(
        "div",
        new XAttribute("class", "row " + kind),
        new XElement("span", new XAttribute("class", "name"), name),
        new XElement("span", new XAttribute("class", "track"), "", bars),
        new XElement("span", new XAttribute("class", "note"), note));

    private static string Look(string state) => state switch
    {
        "Succeeded" or "Ready" => "good",
        "Failed" => "bad",
        "Cancelled" or "Struggling" => "doubtful",
        _ => "busy",
    };

    // RolledBack: rolled back.
    private static string Words(string name) =>
        string.Concat(name.Select((letter, index) => index > 0 && char.IsUpper(letter) ? $" {char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));

    private static XElement Changes(RunRecord run) => run.Changes.IsEmpty
        ? new XElement("p", "Nothing was changed.")
        : new XElement(
            "ul",
            new XAttribute("class", "changes"),
            run.Changes.Select(change =>
            {
                var name = new object[]
                {
                    new XElement("span", new XAttribute("class", "tag"), change.Change.ToString().ToLowerInvariant()),
                    " ",
                    new XElement("b", $"{change.Kind}/{change.Name}"),
                    new XElement("span", new XAttribute("class", "quiet"), $"{(change.Namespace is null ? "" : $" in {change.Namespace}")}, after {ProgressText.Of(change.At - run.StartedAt)}"),
                };
                return new XElement("li", change.Fields.IsEmpty ? name : new XElement("details", new XElement("summary", name), Lines(change.Fields)));
            }));

    private static XElement Image(ImageRecord image)
    {
        var facts = new (string Name, object? Value)[]
        {
            ("Digest", image.Digest is null ? null : new XElement("code", image.Digest)),
            ("Repository", image.Repository is null ? null : new XElement("code", image.Repository)),
            ("Built", image.BuiltNow switch { true => "in this run", false => "before; nothing changed since", _ => null }),
            ("Commit", image.Commit is null ? null : new XElement("code", image.Commit + (image.IsDirty ? " with changes" : ""))),
            ("Content key", image.ContentKey is null ? null : new XElement("code", image.ContentKey)),
            ("Signature", image.SignedBy is null ? "none yet" : $"{(image.SignedNow ? "made in this run" : "made before")}; verifies with {image.SignedBy}"),
            ("Provenance", image.Statements.IsEmpty ? null : "attested: " + string.Join("; ", image.Statements)),
            ("Pushed", image.SentBytes switch
            {
                null => "no",
                0 => "was in the registry",
                var bytes => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB"),
            }),
            ("Tags", image.Tags.IsEmpty ? null : string.Join(", ", image.Tags)),
            ("Verify", image.VerifyCommand is null ? null : new XElement("code", image.VerifyCommand)),
        };
        return new XElement(
            "details",
            new XAttribute("class", "card"),
            new XAttribute("open", ""),
            new XElement("summary", new XElement("b", image.Name)),
            new XElement("dl", new XAttribute("class", "facts"), facts.Where(fact => fact.Value is not null).Select(fact => new XElement("div", new XElement("dt", fact.Name), new XElement("dd", fact.Value)))));
    }

    private static IEnumerable<XElement> Timings(RunRecord run)
    {
        var rows = RunTimings.Compare(run);
        if (!rows.IsEmpty)
        {
            yield return Table(
                ["Task", "This run", "Usual", "Difference"],
                rows.Select(row => new object[] { row.Task, Seconds(row.Seconds), Seconds(row.Usual), Difference(row) }));
            yield return new XElement("p", new XAttribute("class", "quiet"), $"Usual is the median of the last {run.Earlier.Count(release => !release.TaskSeconds.IsEmpty)} releases that recorded it.");
        }

        yield return Table(
            ["Release", "Ended", "Apply", "Verdict"],
            run.Earlier.Select(release => new object[]
            {
                $"{release.Number}, {release.StartedAt.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture)}",
                release.State,
                release.ApplySeconds is { } apply ? Seconds(apply) : "",
                release.VerifySeconds is { } verify ? Seconds(verify) : "",
            }));
    }

    private static XElement Difference(TimingRow row) => new(
        "span",
        new XAttribute("class", row.IsSlower ? "wrong" : row.IsFaster ? "ok" : "quiet"),
        string.Create(CultureInfo.InvariantCulture, $"{(row.Seconds >= row.Usual ? "+" : "−")}{Math.Abs(row.Seconds - row.Usual):0.0} s"));

    private static string Seconds(double seconds) => ProgressText.Of(TimeSpan.FromSeconds(seconds));

    private static XElement Table(string[] head, IEnumerable<object[]> rows) => new(
        "div",
        new XAttribute("class", "scroll"),
        new XElement(
            "table",
            new XElement("thead", new XElement("tr", head.Select(cell => new XElement("th", new XAttribute("scope", "col"), cell)))),
            new XElement("tbody", rows.Select(row => new XElement("tr", row.Select(cell => new XElement("td", cell)))))));

    private static XElement Log(TaskRecord task) => new(
        "details",
        task.State == "Failed" ? new XAttribute("open", "") : null,
        new XElement("summary", $"{task.Name} ({task.Lines.Length + task.LinesLeftOut} lines)"),
        task.LinesLeftOut == 0 ? null : new XElement("p", new XAttribute("class", "quiet"), $"The first {task.LinesLeftOut} lines are left out."),
        Lines([.. task.Lines.Select(line => $"{line.At.UtcDateTime.ToString("HH:mm:ss", CultureInfo.InvariantCulture)} {line.Source}: {line.Text}")]));

    private static XElement Lines(ImmutableArray<string> lines) => new("pre", new XAttribute("tabindex", "0"), string.Join("\n", lines));

    // Empty elements would be written as <i />, which is no end in HTML: they are given an empty text.
    private static string Text(XElement page)
    {
        var text = new StringBuilder();
        using (var writer = XmlWriter.Create(text, new() { OmitXmlDeclaration = true, CheckCharacters = false, NewLineHandling = NewLineHandling.None }))
        {
            page.WriteTo(writer);
        }

        return text.ToString();
    }

    private sealed record Section(string Id, string Title, XElement[] Content);

    private sealed record Scale(DateTimeOffset From, DateTimeOffset To)
    {
        // Neighbours that look the same are one bar.
        public IEnumerable<XElement> Bars(string name, IEnumerable<SpanRecord> spans)
        {
            List<SpanRecord> bars = [];
            foreach (var span in spans)
            {
                if (bars is [.., var last] && Look(last.State) == Look(span.State))
                {
                    bars[^1] = span with { From = last.From };
                }
                else
                {
                    bars.Add(span);
                }
            }

            return bars.Select(bar => Bar(name, bar));
        }

        private XElement Bar(string name, SpanRecord span)
        {
            var (start, end) = (Percent(span.From), Percent(span.To));
            return new XElement(
                "i",
                new XAttribute("class", Look(span.State)),
                new XAttribute("style", string.Create(CultureInfo.InvariantCulture, $"left:{start:0.##}%;width:{Math.Max(0.4, end - start):0.##}%")),
                new XAttribute("title", $"{name}: {span.Text}, {ProgressText.Of(span.To - span.From)}"),
                "");
        }

        private double Percent(DateTimeOffset at) =>
            To <= From ? 0 : Math.Clamp((at - From) / (To - From), 0, 1) * 100;
    }
}
