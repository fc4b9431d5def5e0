using Cake.K3s.Sandbox.Controllers.Client;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>
/// ConfigMaps and Secrets as they are now. Not from the cache: a pod may be seen before the ConfigMap that was written ahead of it.
/// </summary>
internal sealed class PodSources(ClusterClient client)
{
    public Task<V1ConfigMap?> ConfigMapAsync(string ns, string name, CancellationToken cancellationToken) =>
        client.FindAsync<V1ConfigMap>(new(ns, name), cancellationToken);

    public Task<V1Secret?> SecretAsync(string ns, string name, CancellationToken cancellationToken) =>
        client.FindAsync<V1Secret>(new(ns, name), cancellationToken);
}
