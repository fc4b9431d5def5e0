using System.Text.Json;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Who the daemon is, and what the sandbox has chosen once and keeps: ports and addresses.</summary>
internal sealed record SandboxState
{
    /// <summary>The daemon that wrote this.</summary>
    public ProcessIdentity Daemon { get; init; }

    /// <summary>The ports, on 127.0.0.1.</summary>
    public SandboxPorts Ports { get; init; } = new(0, 0, 0, 0);

    /// <summary>The private engine's addresses in CIDR form; empty with an engine that was there.</summary>
    public string EngineSubnet { get; init; } = "";

    /// <summary>The Services' addresses in CIDR form.</summary>
    public string ServiceSubnet { get; init; } = "";

    /// <summary>The engine's socket.</summary>
    public string EngineSocket { get; init; } = "";

    /// <summary>The state that was saved; null where there is none.</summary>
    public static SandboxState? Read(SandboxDirectory directory)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(directory.StateFile), SandboxJson.Default.SandboxState);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (JsonException exception)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"the sandbox's state cannot be read from {directory.StateFile}: {exception.Message}",
                "Run --target=SandboxDown --purge to start over.",
                innerException: exception);
        }
    }

    /// <summary>Saves the state, whole or not at all.</summary>
    public void Write(SandboxDirectory directory) => PrivateFiles.Write(directory.StateFile, JsonSerializer.Serialize(this, SandboxJson.Default.SandboxState));
}

/// <summary>The ports that the sandbox listens on; 0 is one that has not been chosen.</summary>
/// <param name="Api">The Kubernetes API, HTTPS.</param>
/// <param name="Ingress">Ingress hosts, HTTP.</param>
/// <param name="Registry">The registry, HTTP.</param>
/// <param name="Postgres">Postgres.</param>
internal sealed record SandboxPorts(int Api, int Ingress, int Registry, int Postgres);
