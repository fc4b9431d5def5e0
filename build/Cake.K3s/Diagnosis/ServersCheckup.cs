using Cake.K3s.Environments;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Diagnosis;

/// <summary>Asks the servers of an environment that has a kubeconfig: its cluster, its registry, the Docker engine that builds.</summary>
internal sealed class ServersCheckup(KubeconfigOpener opener, ServerExamination servers, Toolbox toolbox, ICommandRunner runner) : ICheckup
{
    private static readonly TimeSpan EngineLimit = TimeSpan.FromSeconds(15);

    public async Task<IReadOnlyList<Observation>> ExamineAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        if (environment.Cluster is null)
        {
            return [];
        }

        var examined = await Task.WhenAll(
            ClusterAsync(settings, environment, cancellationToken),
            servers.RegistryAsync(opener.RegistryOf(settings, environment), settings, cancellationToken),
            EngineAsync(cancellationToken));
        return [.. examined.SelectMany(diagnoses => diagnoses)];
    }

    private async Task<IReadOnlyList<Observation>> ClusterAsync(DeploySettings settings, EnvironmentSettings environment, CancellationToken cancellationToken)
    {
        try
        {
            return await servers.ClusterAsync(opener.ClusterOf(settings, environment), cancellationToken);
        }
        catch (K3sException failure)
        {
            return [Observation.Wrong("cluster", failure)];
        }
    }

    private async Task<IReadOnlyList<Observation>> EngineAsync(CancellationToken cancellationToken)
    {
        // What builds is buildx; whether the engine behind it answers is for buildx to say.
        if (await toolbox.LookForAsync(ToolName.Buildx, cancellationToken) is not { Found: { } buildx })
        {
            return [Observation.Good("engine", "not asked: docker-buildx is not here yet")];
        }

        try
        {
            var told = await runner.RunAsync(new Command(buildx.Path, ["inspect"]) { Environment = buildx.Environment, Timeout = EngineLimit }, cancellationToken);
            var driver = told.StandardOutput.Split('\n').FirstOrDefault(line => line.StartsWith("Driver:", StringComparison.Ordinal))?.Split(':')[1].Trim();

            // buildx tells a broken engine in its output, and ends with 0.
            return told.StandardOutput.Split('\n').FirstOrDefault(line => line.StartsWith("Error:", StringComparison.Ordinal)) is { } error
                ? [NoEngine(error["Error:".Length..].Trim())]
                : [Observation.Good("engine", $"buildx builds with the {driver} driver")];
        }
        catch (CommandFailedException failure)
        {
            return [NoEngine(failure.Details.LastOrDefault() ?? failure.Summary)];
        }
    }

    private static Observation NoEngine(string why) => Observation.Wrong(
        "engine",
        $"no Docker engine to build with: {why}",
        "Start Docker, or name an engine with DOCKER_HOST; the user has to be in the group docker.");
}
