using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;

namespace Cake.K3s.IntegrationTests.Pipeline;

/// <summary>The compiled host as a process, with what it has written so far.</summary>
internal sealed class RunningHost : IDisposable
{
    private readonly StringBuilder _output = new();
    private readonly Lock _lock = new();
    private readonly Process _process;
    private Regex? _wanted;
    private TaskCompletionSource? _seen;

    private RunningHost(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Add(line.Data);
        process.ErrorDataReceived += (_, line) => Add(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Starts it.</summary>
    /// <param name="directory">The folder with deploy.yaml.</param>
    /// <param name="arguments">Its command line.</param>
    /// <param name="wrapper">A program that starts it, with arguments; none by default.</param>
    public static RunningHost Start(string directory, IEnumerable<string> arguments, params IEnumerable<string> wrapper)
    {
        string[] command = [.. wrapper, "dotnet", Path.Combine(AppContext.BaseDirectory, "Build.dll"), .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = directory,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };

        // With CI set every check runs each time; here it is the pipeline that is tested.
        start.Environment.Remove("CI");
        start.Environment["NO_COLOR"] = "1";
        return new(Process.Start(start)!);
    }

    public int Id => _process.Id;

    /// <summary>What it has written so far.</summary>
    public string Text()
    {
        lock (_lock)
        {
            return _output.ToString();
        }
    }

    /// <summary>kill -9. The process alone, as the kernel's out-of-memory killer would: its children are left to themselves.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits for its end.</summary>
    public async Task<FinishedRun> EndAsync()
    {
        await _process.WaitForExitAsync();

        // The last lines are read by now as well.
        _process.WaitForExit();
        return new(_process.ExitCode, Text());
    }

    /// <summary>Completes as soon as a line of its output matches.</summary>
    public Task WhenAsync(Regex line)
    {
        lock (_lock)
        {
            _wanted = line;
            _seen = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            if (line.IsMatch(_output.ToString()))
            {
                _seen.SetResult();
            }

            return _seen.Task;
        }
    }

    public void Dispose()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
        }

        _process.Dispose();
    }

    private void Add(string? line)
    {
        if (line is null)
        {
            return;
        }

        TestContext.Out.WriteLine(line);
        lock (_lock)
        {
            _output.AppendLine(line);
            if (_wanted?.IsMatch(line) == true)
            {
                _seen!.TrySetResult();
            }
        }
    }
}

/// <summary>A run of the host that has ended.</summary>
internal sealed record FinishedRun(int ExitCode, string Output);
