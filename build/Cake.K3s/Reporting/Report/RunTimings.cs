using System.Collections.Immutable;

namespace Cake.K3s.Reporting.Report;

/// <summary>Compares how long tasks took with the releases before.</summary>
internal static class RunTimings
{
    /// <summary>The tasks that earlier releases recorded as well, in the order of the run.</summary>
    public static ImmutableArray<TimingRow> Compare(RunRecord run) =>
    [
        .. from task in run.Tasks
           where task.StartedAt is not null
           let earlier = run.Earlier.Where(release => release.TaskSeconds.ContainsKey(task.Name)).Select(release => release.TaskSeconds[task.Name]).Order().ToList()
           where earlier.Count > 0
           select new TimingRow(task.Name, task.Seconds, Median(earlier)),
    ];

    private static double Median(List<double> sorted) =>
        sorted.Count % 2 == 1 ? sorted[sorted.Count / 2] : (sorted[(sorted.Count / 2) - 1] + sorted[sorted.Count / 2]) / 2;
}

/// <summary>One task, compared.</summary>
/// <param name="Task">Its name.</param>
/// <param name="Seconds">How long it took now.</param>
/// <param name="Usual">The median of earlier releases.</param>
internal sealed record TimingRow(string Task, double Seconds, double Usual)
{
    // Less than a second or a quarter is chance.
    private double Tolerance => Math.Max(1, Usual / 4);

    /// <summary>Whether it took markedly longer.</summary>
    public bool IsSlower => Seconds > Usual + Tolerance;

    /// <summary>Whether it took markedly less.</summary>
    public bool IsFaster => Seconds < Usual - Tolerance;
}
