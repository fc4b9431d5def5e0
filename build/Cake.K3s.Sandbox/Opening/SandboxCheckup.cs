using System.Net;
using System.Net.Sockets;
using Cake.K3s.Diagnosis;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>Looks at a sandbox that is up, or at what one needs to come up. It starts none.</summary>
internal sealed class SandboxCheckup(
    RunOptions run,
    EnvironmentVariables variables,
    DaemonClient daemon,
    ServerExamination servers,
    IReporter reporter) : ICheckup
{
    private const string Subject = "sandbox";

    public async Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        if (environment.Sandbox is not { } sandbox)
        {
            return [];
        }

        if (!OperatingSystem.IsLinux())
        {
            return [Observation.Wrong(Subject, "it runs on Linux only", "Run in WSL or on a Linux machine, or name another environment with --environment.")];
        }

        var directory = new SandboxDirectory(run.SandboxDirectory);
        return await daemon.StatusAsync(directory, cancellationToken) is { } status
            ? await UpAsync(status, directory, settings, environment, cancellationToken)
            : [await EngineAsync(directory, cancellationToken), .. Ports(sandbox)];
    }

    private async Task<IReadOnlyList<Observation>> UpAsync(
        SandboxStatus status, SandboxDirectory directory, DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        if (status.Parts.FirstOrDefault(part => !part.IsHealthy) is { } ill)
        {
            return [Observation.Warning(Subject, $"{ill.Name} is down: {ill.Problem}", "The next run starts it again, and so does --target=SandboxUp; the reason is in .sandbox/logs.")];
        }

        var registry = new Uri(status.Parts.First(part => part.Name == "registry").Address).Authority;
        var examined = await Task.WhenAll(
            servers.ClusterAsync(new ClusterConnection(directory.Kubeconfig, "sandbox", environment.Namespace ?? settings.App), cancellationToken),
            servers.RegistryAsync(new RegistryConnection(registry, settings.App, Insecure: true, directory.DockerConfig), settings, cancellationToken));
        return [Observation.Good(Subject, $"up: {string.Join(", ", status.Parts.Select(part => part.Name))}"), .. examined.SelectMany(diagnoses => diagnoses)];
    }

    private async Task<Observation> EngineAsync(SandboxDirectory directory, CancellationToken cancellationToken) =>
        await EngineSelection.FindAsync(directory, variables["DOCKER_HOST"], reporter, cancellationToken) is { } engine
            ? Observation.Good(Subject, $"down; it will use the Docker engine at {engine.Socket}")
            : Environment.IsPrivilegedProcess
                ? Observation.Good(Subject, "down; it will bring a Docker engine of its own")
                : Observation.Wrong(
                    Subject,
                    "there is no Docker engine that it can use, and to start one of its own it needs root",
                    "Start a Docker engine that has the containerd image store, or run this as root.");

    private static IEnumerable<Observation> Ports(SandboxSettings sandbox)
    {
        foreach (var (key, port) in new[] { ("ingressPort", sandbox.IngressPort), ("apiPort", sandbox.ApiPort), ("registryPort", sandbox.RegistryPort) })
        {
            if (port != 0 && IsTaken(port))
            {
                yield return Observation.Wrong(
                    "port",
                    $"{port} on 127.0.0.1, the sandbox's {key}, is taken by another program",
                    $"End that program (another sandbox: --target=SandboxDown in its directory), or set {key} to 0, which takes a free one.");
            }
        }
    }

    private static bool IsTaken(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return false;
        }
        catch (SocketException)
        {
            return true;
        }
    }
}
