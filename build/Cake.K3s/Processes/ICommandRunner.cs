namespace Cake.K3s.Processes;

/// <summary>The one way to run a program. Nothing outside this folder starts a process.</summary>
public interface ICommandRunner
{
    /// <summary>
    /// Runs a command to its end. What it leaves running in the background is not waited for, even where that keeps the
    /// output open. On a timeout and on cancellation every process that it started is asked to end, and ended if it does not.
    /// </summary>
    /// <exception cref="CommandFailedException">The exit code is not accepted, the timeout passed, or the program cannot be started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; the whole process tree has ended by then.</exception>
    Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken);

    /// <summary>
    /// Starts a program that outlives this process: own session, standard output and error appended to a log file (mode 600),
    /// which is written by the program itself and so is not masked.
    /// </summary>
    /// <returns>The process id.</returns>
    /// <exception cref="CommandFailedException">The program cannot be started.</exception>
    int StartDetached(Command command, string logFile);
}
