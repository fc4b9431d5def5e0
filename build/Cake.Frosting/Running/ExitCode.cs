using Cake.Core;

namespace Cake.Frosting.Running;

/// <summary>The exit code that a failure asks for.</summary>
internal static class ExitCode
{
    public const string Key = "ExitCode";
    public const int Success = 0;
    public const int Failed = 1;
    public const int BadCommandLine = 2;
    public const int Cancelled = 130;

    /// <summary>
    /// The code that the outermost of an exception and its causes carries. Cake wraps what a task throws, and tasks wrap
    /// what their tools throw; 0 and Cake's default of 1 say nothing, so the search goes on below them.
    /// </summary>
    public static int Of(Exception exception) =>
        Causes(exception).Select(Carried).FirstOrDefault(code => code is not null) ?? Failed;

    /// <summary>Whether the run was cancelled, and did not fail before that.</summary>
    public static bool IsCancelled(Exception exception) => Of(exception) == Cancelled;

    private static int? Carried(Exception exception) => exception switch
    {
        _ when exception.Data[Key] is int code and not Success => code,
        CakeException { ExitCode: not (Success or Failed) } cake => cake.ExitCode,

        // HttpClient reports its own timeout as a cancellation.
        OperationCanceledException { InnerException: not TimeoutException } => Cancelled,
        _ => null,
    };

    private static IEnumerable<Exception> Causes(Exception? exception) => exception switch
    {
        null => [],
        AggregateException aggregate => aggregate.InnerExceptions.SelectMany(Causes).Prepend(aggregate),
        _ => Causes(exception.InnerException).Prepend(exception),
    };
}
