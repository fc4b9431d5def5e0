using Cake.K3s.Processes;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>Runs commands until one of them, at which the operator's run ends as by kill -9: nothing is caught, nothing is cleaned up.</summary>
/// <param name="inner">Runs them.</param>
/// <param name="at">The command's number, from 1.</param>
/// <param name="whenDone">Whether the command has ended when it happens; otherwise it is under way.</param>
/// <param name="fault">What else happens then.</param>
internal sealed class CutOffRunner(ICommandRunner inner, int at, bool whenDone, Func<Task> fault) : ICommandRunner
{
    private int _commands;

    /// <summary>Whether it has happened; where not, the run had fewer commands.</summary>
    public bool HasStruck => _commands >= at;

    public async Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _commands);
        if (number != at)
        {
            return number < at ? await inner.RunAsync(command, cancellationToken) : throw new KilledException();
        }

        using var kill = new CancellationTokenSource();
        var running = inner.RunAsync(command, kill.Token);

        // Another moment for each command.
        await Task.WhenAny(running, Task.Delay(whenDone ? Timeout.InfiniteTimeSpan : TimeSpan.FromMilliseconds(100 * (at % 5)), CancellationToken.None));
        await fault();
        await kill.CancelAsync();
        await Task.WhenAny(running);
        throw new KilledException();
    }

    public int StartDetached(Command command, string logFile) => throw new NotSupportedException();
}

/// <summary>The end of a run that no code of it sees.</summary>
internal sealed class KilledException : Exception;
