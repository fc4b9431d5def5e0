using System.Net;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Tools;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>A dockerd of the sandbox's own: own data, own socket, own bridge; nothing of the host's configuration is changed for good.</summary>
internal sealed class PrivateEngine(
    SandboxDirectory directory,
    EngineConnection connection,
    IPNetwork addresses,
    IToolbox tools,
    ICommandRunner runner) : ISandboxPart
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(60);

    private readonly DetachedProgram _program = Program(directory);
    private readonly EngineApi _api = new(directory.EngineSocket);
    private string _version = "";

    public string Name => "engine";

    public static DetachedProgram Program(SandboxDirectory directory) =>
        new("engine", ["dockerd"], "--config-file=" + directory.EngineConfiguration, directory.LogOf("engine"));

    public bool IsRunning() => _program.Find() is not null;

    public async Task<PartStatus> CheckAsync(CancellationToken cancellationToken) =>
        new(Name, await _api.ProblemAsync(cancellationToken), _version, connection.DockerHost, _program.Find()?.Id);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        RequireRoot();
        var tool = await tools.RequireAsync(ToolName.Dockerd, "the sandbox", cancellationToken);
        _version = tool.Source;
        if (!IsRunning())
        {
            PrivateFiles.MakeDirectory(directory.Runtime);

            // A killed engine leaves it, and refuses to start as long as its process id is taken: by a zombie that nobody reaps
            // in a container, or by another program.
            File.Delete(directory.EngineLock);
            EnsureBridge();
            await HostNetwork.PrepareAsync(directory, addresses, tool, runner, cancellationToken);
            Directory.CreateDirectory(directory.EngineData);
            PrivateFiles.Write(
                directory.EngineConfiguration,
                EngineConfiguration.Write(directory, UpperHalf(addresses), OnOverlay(directory.EngineData)));
        }

        var command = new Command(tool.Path, "--config-file=" + directory.EngineConfiguration) { Environment = tool.Environment };
        await _program.StartAsync(runner, command, _api.ProblemAsync, StartLimit, cancellationToken);
    }

    /// <summary>Makes the bridge ahead of the engine: others listen on its address.</summary>
    public void EnsureBridge()
    {
        RequireRoot();
        Bridge.Ensure(directory.Bridge, connection.Gateway, MaskOf(connection.Subnet));
    }

    private static void RequireRoot()
    {
        if (!OperatingSystem.IsLinux() || !Environment.IsPrivilegedProcess)
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                "the sandbox needs a Docker engine, and only root on Linux can start a private one",
                "Run as root, or set DOCKER_HOST to an engine on this machine that has the containerd image store.");
        }
    }

    private static IPAddress MaskOf(IPNetwork network) =>
        new(BitConverter.GetBytes(IPAddress.HostToNetworkOrder(-1 << (32 - network.PrefixLength))));

    // The lower half is the bridge's.
    private static IPNetwork UpperHalf(IPNetwork network)
    {
        var bytes = network.BaseAddress.GetAddressBytes();
        bytes[3] |= 128;
        return new IPNetwork(new IPAddress(bytes), network.PrefixLength + 1);
    }

    private static bool OnOverlay(string path) =>
        new DriveInfo(path).DriveFormat.StartsWith("overlay", StringComparison.Ordinal);
}
