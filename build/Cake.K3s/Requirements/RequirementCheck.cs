using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Tools;

namespace Cake.K3s.Requirements;

/// <summary>
/// Makes sure of everything that the tasks of a run require, before the first of them starts: a run that cannot reach its end
/// does not begin. Everything is checked at the same time, and all that is missing is told at once.
/// </summary>
public sealed class RequirementCheck
{
    private readonly PipelineRun _run;
    private readonly IToolbox _toolbox;
    private readonly RegistryClients _registries;
    private readonly ClusterConnector _clusters;

    internal RequirementCheck(PipelineRun run, IToolbox toolbox, RegistryClients registries, ClusterConnector clusters)
    {
        _run = run;
        _toolbox = toolbox;
        _registries = registries;
        _clusters = clusters;
    }

    /// <summary>Checks what the tasks require.</summary>
    /// <param name="tasks">The classes of the tasks that are going to run.</param>
    /// <exception cref="K3sException">
    /// Something is missing (exit code 5), the cluster does not answer (1), or settings are wrong (2); the message tells all of it.
    /// </exception>
    public async Task CheckAsync(IReadOnlyCollection<Type> tasks)
    {
        var required = RequirementSet.Of(tasks);
        var checks = required.Tools.Select(tool => FailureOfAsync(() => _toolbox.RequireAsync(tool.Key, tool.Value, _run.Cancellation)))
            .Append(FailureOfServersAsync(required));
        var failures = (await Task.WhenAll(checks)).OfType<K3sException>().ToList();
        if (failures.Find(failure => failure.ExitCode == ExitCodes.BadInput) is { } wrong)
        {
            throw wrong;
        }

        if (failures.Count > 0)
        {
            throw failures is [var only] ? only : All(failures);
        }
    }

    private async Task<K3sException?> FailureOfServersAsync(RequirementSet required)
    {
        if (required.Servers.IsEmpty)
        {
            return null;
        }

        DeployEnvironment environment;
        try
        {
            environment = await _run.EnvironmentAsync();
        }
        catch (K3sException failure)
        {
            return failure;
        }

        var checks = new List<Task<K3sException?>>();
        if (required.Servers.Contains(Requirement.Registry))
        {
            checks.Add(FailureOfAsync(() => AskRegistryAsync(environment)));
        }

        if (required.Servers.Contains(Requirement.Cluster))
        {
            checks.Add(FailureOfAsync(() => _clusters.OpenAsync(environment.Cluster, _run.Cancellation)));
        }

        return (await Task.WhenAll(checks)).OfType<K3sException>().ToList() switch
        {
            [] => null,
            [var only] => only,
            var several => several.Find(failure => failure.ExitCode == ExitCodes.BadInput) ?? All(several),
        };
    }

    private async Task AskRegistryAsync(DeployEnvironment environment)
    {
        // Of no matter which image: what counts is that the registry answers, and lets this user ask.
        var image = _run.Settings.Images.Keys.Order(StringComparer.Ordinal).FirstOrDefault(environment.Name);
        var repository = environment.Registry.RepositoryOf(image)[(environment.Registry.Host.Length + 1)..];
        using var registry = _registries.Open(environment.Registry);
        await registry.FindDigestAsync(repository, "latest", _run.Cancellation);
    }

    private static async Task<K3sException?> FailureOfAsync(Func<Task> check)
    {
        try
        {
            await check();
            return null;
        }
        catch (K3sException failure)
        {
            // A cluster that does not answer is there, as far as anybody knows: that is a failure like any other, not something to get.
            return failure is ClusterUnreachableException || failure.ExitCode is ExitCodes.BadInput or ExitCodes.RequirementMissing
                ? failure
                : new K3sException(ExitCodes.RequirementMissing, failure.Summary, failure.NextStep, failure.Details, failure);
        }
    }

    private static K3sException All(IReadOnlyCollection<K3sException> failures) => new(
        ExitCodes.RequirementMissing,
        $"{failures.Count} things that this run needs are missing; nothing was started",
        "--target=Doctor looks at each of them again.",
        [.. failures.SelectMany(failure => failure.Message.Split(Environment.NewLine))]);
}
