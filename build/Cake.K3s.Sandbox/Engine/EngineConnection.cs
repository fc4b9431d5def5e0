using System.Net;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>A Docker engine with the containerd image store, and the network that pods are put into: the engine's <c>bridge</c>.</summary>
/// <param name="Socket">Absolute path of its Unix socket.</param>
/// <param name="Gateway">The bridge's address: where pods reach this machine, and where it listens for them.</param>
/// <param name="Subnet">The bridge's addresses.</param>
/// <param name="IsPrivate">Whether the sandbox started it, and ends it.</param>
/// <param name="Version">For people.</param>
internal sealed record EngineConnection(string Socket, IPAddress Gateway, IPNetwork Subnet, bool IsPrivate, string Version)
{
    /// <summary>What DOCKER_HOST is set to for it.</summary>
    public string DockerHost => "unix://" + Socket;
}
