using Cake.Core.Diagnostics;

namespace Cake.Frosting.Running;

/// <summary>How an exception is told.</summary>
internal static class ErrorText
{
    /// <summary>Its message; of several exceptions one line each; with diagnostic verbosity everything that is known.</summary>
    public static string Of(Exception exception, Verbosity verbosity)
    {
        if (verbosity == Verbosity.Diagnostic)
        {
            return "Error: " + exception;
        }

        return "Error: " + string.Join(Environment.NewLine, Messages(exception));
    }

    private static IEnumerable<string> Messages(Exception exception) => exception switch
    {
        AggregateException { InnerExceptions.Count: > 0 } aggregate => aggregate.InnerExceptions.SelectMany(Messages).Distinct(),

        // What Cake wraps a failure of the run in.
        Core.CakeReportException { InnerException: { } cause } => Messages(cause),
        _ => [exception.Message],
    };
}
