using System.Net;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>Decides which Docker engine the sandbox uses: one that is there and fits, else a private one.</summary>
internal static class EngineSelection
{
    /// <summary>The engine that DOCKER_HOST names or that has Docker's own socket, if it fits; null for a private one.</summary>
    public static async Task<EngineConnection?> FindAsync(
        SandboxDirectory directory,
        string? dockerHost,
        IReporter reporter,
        CancellationToken cancellationToken)
    {
        // A sandbox that has had a private engine keeps it: that is where its images and pods are.
        if (Directory.Exists(directory.EngineData))
        {
            return null;
        }

        var address = dockerHost ?? "unix:///var/run/docker.sock";
        var (engine, unfit) = await AskAsync(address, cancellationToken);
        if (unfit is not null && (dockerHost is not null || File.Exists("/var/run/docker.sock")))
        {
            reporter.Step("sandbox", $"the engine at {address} is not used: {unfit}; a private one is");
        }

        return engine;
    }

    private static async Task<(EngineConnection? Engine, string? Unfit)> AskAsync(string address, CancellationToken cancellationToken)
    {
        if (!address.StartsWith("unix://", StringComparison.Ordinal))
        {
            return (null, "the sandbox needs one on this machine, at a Unix socket");
        }

        var socket = address["unix://".Length..];
        using var api = new EngineApi(socket);
        if (await api.ProblemAsync(cancellationToken) is { } problem)
        {
            return (null, problem);
        }

        try
        {
            if (!await api.HasContainerdStoreAsync(cancellationToken))
            {
                return (null, "it does not have the containerd image store (\"features\": {\"containerd-snapshotter\": true} in daemon.json)");
            }

            return await api.BridgeAsync(cancellationToken) is var (gateway, subnet)
                ? (new EngineConnection(socket, gateway, subnet, IsPrivate: false, await api.VersionAsync(cancellationToken)), null)
                : (null, "it has no network named bridge");
        }
        catch (HttpRequestException exception)
        {
            return (null, exception.Message);
        }
    }

    /// <summary>The private engine's connection: known before it runs.</summary>
    /// <param name="directory">The sandbox.</param>
    /// <param name="addresses">A /24: its lower half is the bridge's, the upper one for networks that users and builds make.</param>
    public static EngineConnection Private(SandboxDirectory directory, IPNetwork addresses)
    {
        var gateway = addresses.BaseAddress.GetAddressBytes();
        gateway[3] = 1;
        var subnet = new IPNetwork(addresses.BaseAddress, addresses.PrefixLength + 1);
        return new EngineConnection(directory.EngineSocket, new IPAddress(gateway), subnet, IsPrivate: true, "");
    }
}
