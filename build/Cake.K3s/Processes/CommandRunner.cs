using System.Collections.Immutable;
using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.Versioning;
using CliWrap;

namespace Cake.K3s.Processes;

/// <summary>Runs commands through CliWrap.</summary>
internal sealed class CommandRunner(ISecretMask mask, TimeProvider time) : ICommandRunner
{
    // How long output is still read after the command has ended while something that it left behind keeps it open.
    private static readonly TimeSpan OutputGrace = TimeSpan.FromSeconds(1);

    // How long the end of a command is waited for after all its processes were ended.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan InterruptLimit = TimeSpan.FromMilliseconds(500);

    public async Task<CommandResult> RunAsync(Command command, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var secret in command.SecretEnvironment.Values)
        {
            mask.Add(secret);
        }

        var output = new OutputCapture(command, mask);
        var tree = new ProcessTree(time);
        using var timeout = new CancellationTokenSource(command.Timeout ?? Timeout.InfiniteTimeSpan, time);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        var start = time.GetTimestamp();
        var running = Start(command, tree.Mark, output);
        var ended = EndOfAsync(running, output);

        try
        {
            var exitCode = await ended.WaitAsync(stop.Token);
            if (command.AcceptedExitCodes.Contains(exitCode))
            {
                return output.Result(exitCode, time.GetElapsedTime(start));
            }

            if (exitCode == ExitCodes.Cancelled)
            {
                // A terminal's Ctrl+C goes to the program as well, which may end before this process has heard of it.
                await Task.Delay(InterruptLimit, time, stop.Token);
            }

            cancellationToken.ThrowIfCancellationRequested();
            throw Failure(command, $"ended with exit code {exitCode}", exitCode, output.LastLines);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await tree.EndAsync(running.ProcessId);

            // Not for ever: a program that runs as another user (sudo) cannot be ended from here.
            await Task.WhenAny(ended, Task.Delay(EndLimit, time, CancellationToken.None));
            cancellationToken.ThrowIfCancellationRequested();
            throw Failure(command, $"did not end within {Text(command.Timeout)} and was ended", null, output.LastLines);
        }
    }

    public int StartDetached(Command command, string logFile)
    {
        if (OperatingSystem.IsWindows())
        {
            throw Failure(command, "cannot be started in the background on Windows", null, [], "Run it on Linux, macOS or in WSL.");
        }

        CheckDirectory(command);
        MakeLog(command, logFile);

        // Descriptors that this process was given by its own parent (a lock, a pipe) are not for a program that outlives both.
        const string Detach = """
            exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
            exec </dev/null >>"$0" 2>&1
            command -v setsid >/dev/null && exec setsid "$@"
            exec nohup "$@"
            """;
        var start = new ProcessStartInfo("sh", ["-c", Detach, logFile, command.Program, .. command.Arguments])
        {
            WorkingDirectory = command.WorkingDirectory ?? "",
        };
        foreach (var mark in start.Environment.Keys.Where(name => name.StartsWith(ProcessTree.MarkPrefix, StringComparison.Ordinal)).ToList())
        {
            // Not part of the tree of a command that this process itself may be part of.
            start.Environment.Remove(mark);
        }

        foreach (var (name, value) in VariablesOf(command))
        {
            start.Environment[name] = value;
        }

        if (ProgramPath.Find(command.Program, start.Environment["PATH"]) is null)
        {
            throw Failure(command, "cannot be started: there is no such program", null, []);
        }

        using var process = Process.Start(start);
        return process?.Id ?? throw Failure(command, "cannot be started", null, []);
    }

    // Made here, for its mode; the program opens it itself.
    [UnsupportedOSPlatform("windows")]
    private void MakeLog(Command command, string logFile)
    {
        try
        {
            using var log = new FileStream(logFile, new FileStreamOptions
            {
                Mode = FileMode.Append,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Failure(command, $"cannot be started: its log cannot be written: {failure.Message}", null, [], inner: failure);
        }
    }

    private CommandTask<CliWrap.CommandResult> Start(Command command, string mark, OutputCapture output)
    {
        CheckDirectory(command);
        var cli = CliWrap.Cli.Wrap(command.Program)
            .WithArguments(command.Arguments)
            .WithWorkingDirectory(DirectoryOf(command))
            .WithEnvironmentVariables(VariablesOf(command).SetItem(mark, "1"))
            .WithStandardInputPipe(command.StandardInput is { } input ? PipeSource.FromString(input.Reveal()) : PipeSource.Null)
            .WithStandardOutputPipe(PipeTarget.Create((stream, _) => output.ReadAsync(stream, isError: false)))
            .WithStandardErrorPipe(PipeTarget.Create((stream, _) => output.ReadAsync(stream, isError: true)))
            .WithValidation(CommandResultValidation.None);
        try
        {
            return cli.ExecuteAsync(CancellationToken.None);
        }
        catch (Win32Exception missing)
        {
            throw Failure(command, $"cannot be started: {missing.Message}", null, [], inner: missing);
        }
    }

    private async Task<int> EndOfAsync(CommandTask<CliWrap.CommandResult> running, OutputCapture output)
    {
        // CliWrap waits for the end of the output as well, which a process in the background can hold back for ever.
        await ExitOfAsync(running.ProcessId);
        if (await Task.WhenAny(running.Task, Task.Delay(OutputGrace, time)) != running.Task)
        {
            await output.AbandonAsync();
        }

        return (await running.Task).ExitCode;
    }

    private static async Task ExitOfAsync(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            await process.WaitForExitAsync(CancellationToken.None);
        }
        catch (ArgumentException)
        {
            // It has ended already.
        }
    }

    private static ImmutableDictionary<string, string?> VariablesOf(Command command) =>
        command.Environment.SetItems(command.SecretEnvironment.Select(variable => KeyValuePair.Create(variable.Key, (string?)variable.Value.Reveal())));

    private static string DirectoryOf(Command command) => command.WorkingDirectory ?? Environment.CurrentDirectory;

    private void CheckDirectory(Command command)
    {
        // The system's own message for this names neither the directory nor the program.
        if (!Directory.Exists(DirectoryOf(command)))
        {
            throw Failure(command, "cannot be started: its directory does not exist", null, []);
        }
    }

    private CommandFailedException Failure(
        Command command,
        string outcome,
        int? exitCode,
        IReadOnlyList<string> lastLines,
        string? nextStep = null,
        Exception? inner = null)
    {
        var program = Path.GetFileName(command.Program);
        var what = command.Purpose is { } purpose ? $"{purpose}: {program}" : program;
        return new CommandFailedException(
            mask.Hide($"{what} {outcome}"),
            mask.Hide(CommandLine.Of(command)),
            exitCode,
            DirectoryOf(command),
            lastLines,
            nextStep ?? command.NextStep ?? "Mend what its last lines say; to try it by itself, run that command in that directory.",
            inner);
    }

    private static string Text(TimeSpan? time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.GetValueOrDefault().TotalSeconds:0.###} s");
}
