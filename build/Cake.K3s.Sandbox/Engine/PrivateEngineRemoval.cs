using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>Ends a private engine and all that it started, and takes back what it changed on the machine; works on what is left of a killed one.</summary>
internal sealed class PrivateEngineRemoval(SandboxDirectory directory, ICommandRunner runner)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(20);

    /// <summary>Does all of it; doing it again does no harm.</summary>
    /// <param name="cancellationToken">Stops in between; another call does the rest.</param>
    public async Task RemoveAsync(CancellationToken cancellationToken)
    {
        using var api = new EngineApi(directory.EngineSocket);
        if (await api.ProblemAsync(cancellationToken) is null)
        {
            // An engine with live-restore leaves its containers running when it ends.
            await api.RemoveContainersAsync(label: null, cancellationToken);
        }

        await PrivateEngine.Program(directory).StopAsync(Signal.Terminate, Grace, cancellationToken);

        // After a kill: containerd and the shims, known by paths below the runtime directory.
        var left = ProcessTable.All()
            .Where(process => process.Arguments.Any(argument => argument.StartsWith(directory.EngineRuntime + "/", StringComparison.Ordinal)))
            .Select(process => process.Process)
            .ToList();
        foreach (var process in left)
        {
            await ProcessTable.EndAsync(process, Signal.Kill, TimeSpan.FromSeconds(10), cancellationToken);
        }

        if (OperatingSystem.IsLinux())
        {
            await ControlGroups.RemoveAsync(directory.CgroupParent, cancellationToken);
            Mounts.Remove(directory.Runtime, Path.Combine(directory.Root, "engine"));
            await HostNetwork.RestoreAsync(directory, runner, cancellationToken);
        }
    }
}
