using Cake.Core;

namespace Cake.K3s.Reporting;

/// <summary>What a run ended with, in the words of the failures behind it.</summary>
internal static class RunFailure
{
    /// <summary>The event for a run that ended with an exception, or without one.</summary>
    public static RunEnded Of(Exception? exception)
    {
        if (exception is null)
        {
            return new(ExitCodes.Success, null, null, []);
        }

        var causes = Causes(exception).ToList();
        var (first, told) = (causes[0], causes.OfType<K3sException>().ToList());
        return new(
            ExitCodeOf(causes),
            IsCancelled(first) ? "cancelled" : string.Join("; ", causes.Select(Line)),
            told.Select(failure => failure.NextStep).FirstOrDefault(step => step is not null),
            [.. told.SelectMany(failure => failure.Details)]);
    }

    /// <summary>In one line.</summary>
    public static string Line(Exception exception) => exception is K3sException told
        ? told.Summary
        : exception.Message.Split('\n', 2)[0].TrimEnd();

    /// <summary>Whether it is the end of a run that was asked to end. HttpClient reports its own timeout in the same way.</summary>
    public static bool IsCancelled(Exception exception) => exception is OperationCanceledException { InnerException: not TimeoutException };

    // Cake wraps what a task throws; of several tasks that failed all are told.
    private static IEnumerable<Exception> Causes(Exception exception) => exception switch
    {
        AggregateException { InnerExceptions.Count: > 0 } several => several.InnerExceptions.SelectMany(Causes),
        CakeReportException { InnerException: { } cause } => Causes(cause),
        _ => [exception],
    };

    private static int ExitCodeOf(List<Exception> causes) => causes
        .Select(cause => cause switch
        {
            K3sException told => told.ExitCode,
            CakeException { ExitCode: not 0 } cake => cake.ExitCode,
            _ => IsCancelled(cause) ? ExitCodes.Cancelled : ExitCodes.Failed,
        })
        .FirstOrDefault(code => code != ExitCodes.Failed, ExitCodes.Failed);
}
