namespace Cake.K3s.Reporting;

/// <summary>Takes what happens in a run; the console, CI and the HTML report are made from it. Safe to call from many threads.</summary>
public interface IReporter
{
    /// <summary>Takes one event.</summary>
    void Report(RunEvent runEvent);
}

/// <summary>Something that happened in a run.</summary>
public abstract record RunEvent;

/// <summary>A line of text for the operator.</summary>
/// <param name="Level">How much it matters.</param>
/// <param name="Source">What it is about: an image, a workload, a tool, a task.</param>
/// <param name="Text">The line; the reporter masks secrets.</param>
public sealed record LineReported(LineLevel Level, string Source, string Text) : RunEvent;

/// <summary>How much a line matters.</summary>
public enum LineLevel
{
    /// <summary>A program's own output; shown live, folded in CI.</summary>
    Output,

    /// <summary>A step that was done or skipped, and why.</summary>
    Step,

    /// <summary>Something to look at that does not stop the run.</summary>
    Warning,
}

/// <summary>Short forms for the usual events.</summary>
public static class ReporterExtensions
{
    /// <summary>A step that was done or skipped, and why.</summary>
    public static void Step(this IReporter reporter, string source, string text) =>
        reporter.Report(new LineReported(LineLevel.Step, source, text));

    /// <summary>A line of a program's own output.</summary>
    public static void Output(this IReporter reporter, string source, string text) =>
        reporter.Report(new LineReported(LineLevel.Output, source, text));

    /// <summary>Something to look at that does not stop the run.</summary>
    public static void Warning(this IReporter reporter, string source, string text) =>
        reporter.Report(new LineReported(LineLevel.Warning, source, text));
}
