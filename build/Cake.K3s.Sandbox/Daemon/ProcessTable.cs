using System.Globalization;
using System.Runtime.InteropServices;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>A process, told from a later one with the same id by when it started.</summary>
/// <param name="Id">The process id.</param>
/// <param name="StartTicks">Clock ticks from boot to its start: field 22 of proc_pid_stat(5).</param>
internal readonly record struct ProcessIdentity(int Id, ulong StartTicks);

/// <summary>The signals that end a process, by their numbers on Linux.</summary>
internal enum Signal
{
    /// <summary>SIGINT.</summary>
    Interrupt = 2,

    /// <summary>SIGKILL.</summary>
    Kill = 9,

    /// <summary>SIGTERM.</summary>
    Terminate = 15,
}

/// <summary>
/// Reads /proc. Programs that outlive the daemon are found again by what they were started with, so no file can be out of
/// step with what runs.
/// </summary>
internal static class ProcessTable
{
    // ESRCH
    private const int NoSuchProcess = 3;

    /// <summary>This process.</summary>
    public static ProcessIdentity Self => Find(Environment.ProcessId) ?? new(Environment.ProcessId, 0);

    /// <summary>The process of that id; null where there is none, or only a zombie.</summary>
    public static ProcessIdentity? Find(int id) =>
        ReadOrNull($"/proc/{id}/stat") is { } stat && ParseStat(stat) is { IsRunning: true } parsed
            ? new ProcessIdentity(id, parsed.StartTicks)
            : null;

    /// <summary>Whether that very process runs.</summary>
    public static bool IsRunning(ProcessIdentity process) => Find(process.Id) == process;

    /// <summary>What a process was started with; empty if it has ended.</summary>
    public static string[] ArgumentsOf(ProcessIdentity process) =>
        ReadOrNull($"/proc/{process.Id}/cmdline") is { Length: > 0 } line && IsRunning(process) ? line.TrimEnd('\0').Split('\0') : [];

    /// <summary>Every process that can be seen, with the arguments it was started with.</summary>
    public static IEnumerable<(ProcessIdentity Process, string[] Arguments)> All()
    {
        foreach (var directory in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out var id)
                && ReadOrNull($"{directory}/cmdline") is { Length: > 0 } line
                && Find(id) is { } process)
            {
                yield return (process, line.TrimEnd('\0').Split('\0'));
            }
        }
    }

    /// <summary>The processes that run in a directory.</summary>
    public static IEnumerable<ProcessIdentity> WithWorkingDirectory(string directory) =>
        from process in All()
        where LinkOrNull($"/proc/{process.Process.Id}/cwd") == directory
        select process.Process;

    /// <summary>The process of a program that was started with an argument that is one sandbox's alone.</summary>
    public static ProcessIdentity? FindByArgument(string[] programs, string argument)
    {
        foreach (var (process, arguments) in All())
        {
            if (programs.Contains(Path.GetFileName(arguments[0])) && arguments.Contains(argument))
            {
                return process;
            }
        }

        return null;
    }

    /// <summary>Sends a signal; a process that has gone is fine.</summary>
    public static void Send(ProcessIdentity process, Signal signal)
    {
        if (IsRunning(process)
            && Kill(process.Id, (int)signal) != 0
            && Marshal.GetLastPInvokeError() is var error
            && error != NoSuchProcess)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"process {process.Id} of the sandbox could not be ended: {Marshal.GetPInvokeErrorMessage(error)}",
                "Run this as the user that started the sandbox, or as root.");
        }
    }

    /// <summary>Asks a process to end, and ends it if it has not by the deadline.</summary>
    public static async Task EndAsync(ProcessIdentity process, Signal signal, TimeSpan grace, CancellationToken cancellationToken)
    {
        Send(process, signal);
        if (!await EndedAsync(process, grace, cancellationToken))
        {
            Send(process, Signal.Kill);
            await EndedAsync(process, TimeSpan.FromSeconds(5), cancellationToken);
        }
    }

    /// <summary>The state and the start of a line of proc_pid_stat(5); the name in parentheses may hold anything.</summary>
    internal static (bool IsRunning, ulong StartTicks) ParseStat(string stat)
    {
        // From field 3 on: the state, at 17 the number of threads, at 19 the start.
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');

        // The first thread of a killed process can be a zombie while others still hold its files and locks.
        var isRunning = fields[0] is not ("Z" or "X") || int.Parse(fields[17], CultureInfo.InvariantCulture) > 1;
        return (isRunning, ulong.Parse(fields[19], CultureInfo.InvariantCulture));
    }

    private static async Task<bool> EndedAsync(ProcessIdentity process, TimeSpan within, CancellationToken cancellationToken)
    {
        // These are no children of this process, so the kernel tells nobody here of their end.
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var start = TimeProvider.System.GetTimestamp();
        while (IsRunning(process))
        {
            if (TimeProvider.System.GetElapsedTime(start) > within)
            {
                return false;
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        return true;
    }

    private static string? LinkOrNull(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? ReadOrNull(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It ended between the listing and the reading, or it is another user's.
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}
