using Cake.K3s.Sandbox.Node.Engine;
using Docker.DotNet;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>The container that holds a pod's network. When it is lost, all containers of the pod go with it.</summary>
internal sealed class PodSandbox(PodDependencies with)
{
    /// <summary>The one that runs, or a new one.</summary>
    /// <param name="pod">Whose it is.</param>
    /// <param name="records">What the engine has of the pod.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="DockerApiException">The engine refuses; it is an event of the pod too.</exception>
    public async Task<ContainerRecord> EnsureAsync(V1Pod pod, IReadOnlyList<ContainerRecord> records, CancellationToken cancellationToken)
    {
        var known = records.Where(record => record.Name == PodLabels.Sandbox).ToList();
        if (known.FirstOrDefault(record => record.Running) is { } running)
        {
            return running;
        }

        if (known.Count > 0)
        {
            with.Events.Normal(pod, PodWorker.Component, "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
            foreach (var record in records.Where(record => record.Running))
            {
                await with.Engine.StopAsync(record.Id, TimeSpan.FromSeconds(2), cancellationToken);
            }

            foreach (var record in known)
            {
                await with.Engine.RemoveAsync(record.Id, cancellationToken);
            }
        }

        var attempt = known.Count == 0 ? 0 : known[0].RestartCount + 1;
        try
        {
            var id = await with.Engine.CreateAsync(
                ContainerSpecification.Sandbox(pod, with.Options, PodDns.For(pod, with.Options), attempt), cancellationToken);
            await with.Engine.StartAsync(id, cancellationToken);
            return await with.Engine.FindAsync(id, cancellationToken) ?? throw new InvalidOperationException("The pod sandbox went away while it started.");
        }
        catch (DockerApiException e)
        {
            with.Events.Warning(pod, PodWorker.Component, "FailedCreatePodSandBox", $"Failed to create pod sandbox: {EngineError.Message(e)}");
            throw;
        }
    }
}
