using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Images.Pruning;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>The images of a cluster's pods and workloads, in every namespace, and of the releases that are recorded in it.</summary>
internal sealed class ImagesInUse(PipelineRun run, ClusterConnector connector) : IImagesInUse
{
    private static readonly GroupVersionKind[] Workloads =
    [
        new("", "v1", "Pod"),
        new("apps", "v1", "Deployment"),
        new("apps", "v1", "StatefulSet"),
        new("apps", "v1", "DaemonSet"),
        new("batch", "v1", "Job"),
        new("batch", "v1", "CronJob"),
    ];

    public async Task<IReadOnlyDictionary<Digest, string>> ReadAsync(DeployEnvironment environment, CancellationToken cancellationToken)
    {
        var used = new Dictionary<Digest, string>();
        var api = await connector.OpenAsync(environment.Cluster, cancellationToken);
        foreach (var type in Workloads)
        {
            foreach (var workload in (await api.ListAsync(type, null, null, cancellationToken)).Items)
            {
                foreach (var container in PodSpecs.ContainersAnywhere(workload))
                {
                    Add(container.Text("image"), $"{environment.Name} runs it ({type.Kind} {workload.ObjectName()})");
                }
            }
        }

        foreach (var release in await new ReleaseStore(api, run.Settings.App).ListAsync(cancellationToken))
        {
            foreach (var image in release.Images.Values)
            {
                Add(image, $"{release} of {environment.Name} can be rolled back to");
            }
        }

        return used;

        void Add(string? image, string reason)
        {
            // By digest is the only way that this pipeline deploys; what else is there names no image of the app.
            if (image?.Split('@') is [_, var digest] && Digest.TryParse(digest) is { } found)
            {
                used.TryAdd(found, reason);
            }
        }
    }
}
