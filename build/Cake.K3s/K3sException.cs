namespace Cake.K3s;

/// <summary>
/// A failure that is told to the operator as it is: one line that says what failed, on what and why, then optional details,
/// then what to do next. Every expected failure of the library is one of these; anything else is a bug.
/// </summary>
public class K3sException : Exception
{
    /// <summary>Makes a failure.</summary>
    /// <param name="exitCode">One of <see cref="ExitCodes"/>.</param>
    /// <param name="message">One line: what failed, on what, why.</param>
    /// <param name="nextStep">What the operator does next, as one sentence or command; null where the message says it.</param>
    /// <param name="details">Further lines, e.g. the last output of a program; secrets must be masked already.</param>
    /// <param name="innerException">What was caught, if anything.</param>
    public K3sException(
        int exitCode,
        string message,
        string? nextStep = null,
        IReadOnlyList<string>? details = null,
        Exception? innerException = null)
        : base(Compose(message, nextStep, details), innerException)
    {
        // Read by the host: Cake's own CakeException, which carries an exit code, is sealed.
        Data["ExitCode"] = exitCode;
        ExitCode = exitCode;
        Summary = message;
        NextStep = nextStep;
        Details = details ?? [];
    }

    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode { get; }

    /// <summary>The one line that says what failed, on what and why.</summary>
    public string Summary { get; }

    /// <summary>What to do next; null where <see cref="Summary"/> says it.</summary>
    public string? NextStep { get; }

    /// <summary>Lines that help to understand the failure, oldest first.</summary>
    public IReadOnlyList<string> Details { get; }

    private static string Compose(string message, string? nextStep, IReadOnlyList<string>? details)
    {
        IEnumerable<string> lines = [message, .. (details ?? []).Select(line => "  " + line)];
        return string.Join(Environment.NewLine, nextStep is null ? lines : lines.Append("Next: " + nextStep));
    }
}
