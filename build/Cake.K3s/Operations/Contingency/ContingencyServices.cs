using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Operations.Contingency;

/// <summary>Registers what this folder brings.</summary>
internal static class ContingencyServices
{
    internal static IServiceCollection AddContingency(this IServiceCollection services) => services
        .AddSingleton(provider => new DatabaseSwitch(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ClusterConnector>(),
            provider.GetRequiredService<RunLock>(),
            provider.GetRequiredService<RolloutWatcher>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new ClusterExport(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ClusterConnector>(),
            provider.GetRequiredService<DatabaseBackups>(),
            provider.GetRequiredService<IToolbox>(),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<TimeProvider>()));
}
