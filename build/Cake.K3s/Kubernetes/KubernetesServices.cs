using Cake.Core;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Linting;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
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
        services.AddSingleton(provider => new Planner(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ManifestLoader>(),
            provider.GetRequiredService<ClusterConnector>(),
            provider.GetRequiredService<IConsole>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<ISecretMask>(),
            provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ImageRevisions>()));
        services.AddSingleton<Applier>();
        services.AddReleases();
        return services;
    }
}
