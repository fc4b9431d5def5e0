using Cake.K3s.Processes;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>The process of a part: found by an argument that only this sandbox's can have, started, waited for, ended.</summary>
/// <param name="part">The part's name.</param>
/// <param name="programs">The file names that the program may have.</param>
/// <param name="argument">The argument.</param>
/// <param name="log">Where its output goes.</param>
internal sealed class DetachedProgram(string part, string[] programs, string argument, string log)
{
    private const int LinesOfLog = 15;
    private const long LongestLog = 16 << 20;

    private ProcessIdentity? _last;

    /// <summary>The process; null when none runs.</summary>
    public ProcessIdentity? Find()
    {
        // Reading one entry of /proc is cheap, all of them is not.
        if (_last is { } last && ProcessTable.IsRunning(last))
        {
            return last;
        }

        _last = ProcessTable.FindByArgument(programs, argument);
        return _last;
    }

    /// <summary>Starts the program unless it runs, and waits until it answers.</summary>
    /// <param name="runner">Starts it.</param>
    /// <param name="command">What to start.</param>
    /// <param name="problem">Tells why it does not answer yet; null when it does.</param>
    /// <param name="within">How long that may take.</param>
    /// <param name="cancellationToken">Stops waiting; the program stays.</param>
    /// <exception cref="K3sException">It ended, or did not answer in time.</exception>
    public async Task StartAsync(
        ICommandRunner runner,
        Command command,
        Func<CancellationToken, Task<string?>> problem,
        TimeSpan within,
        CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(log)!);
        if (Find() is null && File.Exists(log) && new FileInfo(log).Length > LongestLog)
        {
            File.Delete(log);
        }

        var logged = File.Exists(log) ? new FileInfo(log).Length : 0;
        if (Find() is null)
        {
            _last = ProcessTable.Find(runner.StartDetached(command, log));
        }

        var start = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await problem(cancellationToken) is { } reason)
        {
            if (Find() is null)
            {
                throw Failure("ended while it started", logged);
            }

            if (TimeProvider.System.GetElapsedTime(start) > within)
            {
                throw Failure($"did not answer within {within.TotalSeconds} s: {reason}", logged);
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        // What was started may have been a shell that became the program since.
        _last = ProcessTable.FindByArgument(programs, argument) ?? _last;
    }

    /// <summary>Ends the process, if there is one: asked first, then not.</summary>
    public async Task StopAsync(Signal signal, TimeSpan grace, CancellationToken cancellationToken)
    {
        if (Find() is { } process)
        {
            await ProcessTable.EndAsync(process, signal, grace, cancellationToken);
        }
    }

    private K3sException Failure(string what, long logged) => new(
        ExitCodes.Failed,
        $"the sandbox's {part} {what}",
        $"Read {log}; --target=SandboxDown and then the same command starts it afresh.",
        LastLines(logged));

    private string[] LastLines(long from)
    {
        if (!File.Exists(log))
        {
            return [];
        }

        using var stream = new FileStream(log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        stream.Position = Math.Min(from, stream.Length);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(LinesOfLog).ToArray();
    }
}
