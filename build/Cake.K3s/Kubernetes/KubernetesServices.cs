using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Linting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Releases;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Kubernetes;

/// <summary>Registers what this folder brings.</summary>
internal static class KubernetesServices
{
    internal static IServiceCollection AddKubernetes(this IServiceCollection services)
    {
        services.AddSingleton<ClusterConnector>();
        services.AddSingleton<ManifestLoader>();
        services.AddSingleton<ManifestLinter>();
        services.AddSingleton<Planner>();
        services.AddSingleton<Applier>();
        services.AddReleases();
        return services;
    }
}
