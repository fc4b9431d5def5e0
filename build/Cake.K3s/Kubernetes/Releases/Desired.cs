using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>What a run deploys, and where: read by each task for itself, so that each can also run alone.</summary>
/// <param name="Environment">The opened environment.</param>
/// <param name="Api">Its cluster.</param>
/// <param name="Images">The images by name, as <c>repository@sha256:…</c>.</param>
/// <param name="Manifests">The manifests, with these images in them.</param>
internal sealed record Desired(
    DeployEnvironment Environment, ClusterApi Api, ImmutableDictionary<string, string> Images, ManifestSet Manifests)
{
    /// <summary>Names all that is deployed, the migration included.</summary>
    public string Content => ReleaseContent.Hash(Manifests.Objects.Append(Manifests.Migration).OfType<Manifest>().Select(manifest => manifest.Node));

    /// <summary>Reads it.</summary>
    /// <exception cref="K3sException">Images are not pushed or may not be deployed, manifests are wrong, or the cluster cannot be opened.</exception>
    public static async Task<Desired> ReadAsync(PipelineRun run, ClusterConnector connector, ManifestLoader loader, ImageGate gate)
    {
        var environment = await run.EnvironmentAsync();
        var images = ReleaseImages.Read(run.Options.ArtifactsDirectory, run.Settings, environment);
        var manifests = await loader.LoadAsync(ManifestInputs.ForDeploy(run.Settings, environment, images), run.Cancellation);
        await gate.CheckAsync(ImagesIn(manifests), run.Cancellation);
        return new(environment, await connector.OpenAsync(environment.Cluster, run.Cancellation), images, manifests);
    }

    /// <summary>Makes sure of the app's namespace, which the lock and the records are kept in.</summary>
    /// <exception cref="K3sException">It is not there and no manifest brings it, or it is being deleted.</exception>
    public async Task EnsureNamespaceAsync(CancellationToken cancellationToken)
    {
        var key = new ObjectKey(new("", "v1", "Namespace"), null, Api.Namespace);
        var live = await Api.GetAsync(key, cancellationToken);
        if (live.Text("metadata", "deletionTimestamp") is not null)
        {
            throw new K3sException(
                ExitCodes.Failed, $"namespace {key.Name} is being deleted", $"wait until it is gone: kubectl get namespace {key.Name}, then deploy again");
        }

        if (live is null)
        {
            var manifest = Manifests.Objects.FirstOrDefault(manifest => manifest.Key.Identity == key.Identity) ?? throw new K3sException(
                ExitCodes.Failed, $"there is no namespace {key.Name}, and no manifest brings it",
                $"add a Namespace to the manifests, or make it: kubectl create namespace {key.Name}");
            await Api.ApplyAsync(manifest.Node, cancellationToken);
        }
    }

    private static IEnumerable<string> ImagesIn(ManifestSet manifests) =>
        manifests.Objects.Append(manifests.Migration).OfType<Manifest>()
            .SelectMany(manifest => PodSpecs.ContainersAnywhere(manifest.Node))
            .Select(container => container.Text("image"))
            .OfType<string>();
}
