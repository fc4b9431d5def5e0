using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Nodes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Operations.Backups;

/// <summary>Registers what this folder brings.</summary>
internal static class BackupsServices
{
    internal static IServiceCollection AddBackups(this IServiceCollection services) => services
        .AddSingleton(provider => new DatabaseBackups(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ClusterConnector>().OpenAsync,
            provider.GetRequiredService<SecretReader>(),
            provider.GetRequiredService<JobRun>(),
            provider.GetRequiredService<EvidenceCollector>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new EtcdBackups(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<NodeFleet>(),
            provider.GetRequiredService<SecretReader>(),
            provider.GetRequiredService<IReporter>()));
}
