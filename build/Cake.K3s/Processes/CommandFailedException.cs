namespace Cake.K3s.Processes;

/// <summary>A command failed. The message names the command, the exit code, the directory and the last lines of output, all masked.</summary>
public sealed class CommandFailedException : K3sException
{
    /// <summary>Makes the failure of one command.</summary>
    /// <param name="message">One line: what it was for and how it ended.</param>
    /// <param name="commandLine">The program and its arguments, masked.</param>
    /// <param name="commandExitCode">The program's exit code; null if it was not started or was ended by the timeout.</param>
    /// <param name="workingDirectory">Where it ran.</param>
    /// <param name="lastLines">The end of its output, oldest first, masked.</param>
    /// <param name="nextStep">What to do next, or null.</param>
    /// <param name="innerException">What was caught, or null.</param>
    public CommandFailedException(
        string message,
        string commandLine,
        int? commandExitCode,
        string workingDirectory,
        IReadOnlyList<string> lastLines,
        string? nextStep = null,
        Exception? innerException = null)
        : base(
            ExitCodes.Failed,
            message,
            nextStep,
            [$"command: {commandLine}", $"directory: {workingDirectory}", .. lastLines],
            innerException)
    {
        CommandLine = commandLine;
        CommandExitCode = commandExitCode;
        LastLines = lastLines;
    }

    /// <summary>The program and its arguments, masked.</summary>
    public string CommandLine { get; }

    /// <summary>The program's exit code; null if it was not started or was ended by the timeout.</summary>
    public int? CommandExitCode { get; }

    /// <summary>The end of the output, oldest first, masked.</summary>
    public IReadOnlyList<string> LastLines { get; }
}
