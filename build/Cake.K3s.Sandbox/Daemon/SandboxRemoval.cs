using System.Net;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Database;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Sandbox.Network;
using Cake.K3s.Sandbox.Registry;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Takes a sandbox down, whatever of it still runs, and leaves nothing of it on the machine but its files.</summary>
internal sealed class SandboxRemoval(SandboxDirectory directory, ICommandRunner runner)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(15);

    /// <summary>The daemon's process, as it is found and ended.</summary>
    public static DetachedProgram Daemon(SandboxDirectory directory) =>
        new("daemon", ["dotnet"], DaemonOptions.DirectoryArgument(directory), directory.LogOf("daemon"));

    /// <summary>Ends everything.</summary>
    /// <param name="purge">Also deletes the files: images, database, keys, the cluster's objects.</param>
    /// <param name="cancellationToken">Stops in between; another call does the rest.</param>
    public async Task RemoveAsync(bool purge, CancellationToken cancellationToken)
    {
        // First the daemon: it would start the others again.
        if (Daemon(directory).Find() is { } daemon && daemon.Id != Environment.ProcessId)
        {
            await ProcessTable.EndAsync(daemon, Signal.Terminate, Grace, cancellationToken);
        }

        var state = SandboxState.Read(directory);
        await Task.WhenAll(
            RemoveEngineAsync(state, cancellationToken),
            RegistryPart.Program(directory).StopAsync(Signal.Terminate, Grace, cancellationToken),
            // SIGINT is Postgres' fast shutdown; SIGTERM would wait for its clients.
            PostgresPart.Program(directory).StopAsync(Signal.Interrupt, Grace, cancellationToken));
        if (Environment.IsPrivilegedProcess && IPNetwork.TryParse(state?.ServiceSubnet, out var services))
        {
            // A daemon that was killed has left it.
            LocalRoute.Remove(services);
        }

        Delete(directory.Runtime);
        if (purge)
        {
            Delete(directory.Root);
        }
    }

    private async Task RemoveEngineAsync(SandboxState? state, CancellationToken cancellationToken)
    {
        if (state is { EngineSubnet: "", EngineSocket: not "" })
        {
            using var engine = new EngineApi(state.EngineSocket);
            if (await engine.ProblemAsync(cancellationToken) is null)
            {
                await engine.RemoveContainersAsync("cake-k3s.cluster=" + directory.Id, cancellationToken);
            }
        }

        await new PrivateEngineRemoval(directory, runner).RemoveAsync(cancellationToken);
    }

    private static void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
    }
}
