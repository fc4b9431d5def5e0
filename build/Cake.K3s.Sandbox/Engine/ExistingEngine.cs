using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>An engine that was there before the sandbox: asked, never started or ended.</summary>
internal sealed class ExistingEngine(EngineConnection connection) : ISandboxPart
{
    private readonly EngineApi _api = new(connection.Socket);

    public string Name => "engine";

    public bool IsRunning() => true;

    public async Task<PartStatus> CheckAsync(CancellationToken cancellationToken) =>
        new(Name, await _api.ProblemAsync(cancellationToken), connection.Version, connection.DockerHost, null);

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        if (await _api.ProblemAsync(cancellationToken) is { } problem)
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                $"the Docker engine at {connection.DockerHost}, which the sandbox uses, does not answer: {problem}",
                "Start it, or run --target=SandboxDown to let the sandbox choose another.");
        }
    }
}
