namespace Cake.K3s.Reporting;

/// <summary>Takes what happens in a run, and passes it to every <see cref="IRunObserver"/>. Safe to call from many threads.</summary>
public interface IReporter
{
    /// <summary>Takes one event.</summary>
    void Report(RunEvent runEvent);
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
