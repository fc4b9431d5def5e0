using System.Net.Sockets;
using System.Text.Json;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>Talks to the daemon; starts it, or one of this build in place of another's.</summary>
internal sealed class DaemonClient(ICommandRunner runner, IReporter reporter)
{
    private const int Attempts = 3;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(15);

    /// <summary>Brings up what is down and tells where everything is; the daemon's steps are reported as they come.</summary>
    /// <exception cref="K3sException">A part did not start; the message has its last lines of log.</exception>
    public async Task<SandboxAddresses> OpenAsync(DaemonOptions options, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            await EnsureDaemonAsync(options, cancellationToken);
            try
            {
                return await AskAsync(options.Directory, cancellationToken);
            }
            catch (Exception exception) when (exception is HttpRequestException or IOException)
            {
                // It was ended while it was asked; the next attempt starts another.
                if (attempt == Attempts)
                {
                    throw new K3sException(
                        ExitCodes.Failed,
                        $"the sandbox's daemon ended while it was asked: {exception.Message}",
                        $"Run the same command again; {options.Directory.LogOf("daemon")} tells more.",
                        innerException: exception);
                }
            }
        }
    }

    /// <summary>How all parts are; null where no daemon runs.</summary>
    public async Task<SandboxStatus?> StatusAsync(SandboxDirectory directory, CancellationToken cancellationToken)
    {
        if (await ProblemAsync(directory, cancellationToken) is not null)
        {
            return null;
        }

        using var http = UnixSocketHttp.Client(directory.ControlSocket, TimeSpan.FromSeconds(30));
        return await http.GetFromJsonAsync(ControlMessages.Status, SandboxJson.Default.SandboxStatus, cancellationToken);
    }

    private async Task EnsureDaemonAsync(DaemonOptions options, CancellationToken cancellationToken)
    {
        if (!OperatingSystem.IsLinux())
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                "the sandbox runs on Linux only",
                "Run in WSL or in a Linux machine, or name another environment with --environment.");
        }

        var command = DaemonProgram.Command(options);
        var daemon = SandboxRemoval.Daemon(options.Directory);
        var running = SandboxState.Read(options.Directory) is { } state && ProcessTable.IsRunning(state.Daemon) ? state.Daemon : daemon.Find();
        if (running is { } process)
        {
            if (ProcessTable.ArgumentsOf(process).Skip(1).SequenceEqual(command.Arguments))
            {
                if (await ProblemAsync(options.Directory, cancellationToken) is null)
                {
                    return;
                }
            }
            else
            {
                reporter.Step("sandbox", "the daemon is of another build or has other settings: it is replaced, the rest runs on");
                await ProcessTable.EndAsync(process, Signal.Terminate, EndLimit, cancellationToken);
            }
        }

        await daemon.StartAsync(runner, command, token => ProblemAsync(options.Directory, token), StartLimit, cancellationToken);
    }

    private static async Task<string?> ProblemAsync(SandboxDirectory directory, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(directory.ControlSocket), cancellationToken);
            return null;
        }
        catch (SocketException exception)
        {
            return exception.Message;
        }
    }

    private async Task<SandboxAddresses> AskAsync(SandboxDirectory directory, CancellationToken cancellationToken)
    {
        using var http = UnixSocketHttp.Client(directory.ControlSocket, Timeout.InfiniteTimeSpan);
        using var request = new HttpRequestMessage(HttpMethod.Post, ControlMessages.Open);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
        while (await lines.ReadLineAsync(cancellationToken) is { } line)
        {
            switch (JsonSerializer.Deserialize(line, SandboxJson.Default.OpenMessage))
            {
                case { Ready: { } ready }:
                    return ready;
                case { Failed: { } failed }:
                    throw failed.ToException();
                case { Step: { } step }:
                    reporter.Report(new LineReported(step.Level, step.Source, step.Text));
                    break;
            }
        }

        throw new IOException("its answer has no end");
    }
}
