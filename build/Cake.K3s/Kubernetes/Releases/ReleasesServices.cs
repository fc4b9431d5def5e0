using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Images.Pruning;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Registers what this folder and Readiness bring.</summary>
internal static class ReleasesServices
{
    internal static IServiceCollection AddReleases(this IServiceCollection services) => services
        .AddSingleton<IImagesInUse, ImagesInUse>()
        .AddSingleton<RunLock>()
        .AddSingleton<RolloutWatcher>()
        .AddSingleton<JobRun>()
        .AddSingleton<EvidenceCollector>()
        .AddSingleton<ReleaseApplier>()
        .AddSingleton<ReleaseSummary>()
        .AddSingleton(services => new Migrator(
            services.GetRequiredService<PipelineRun>(),
            services.GetRequiredService<ClusterConnector>(),
            services.GetRequiredService<ManifestLoader>(),
            services.GetRequiredService<ImageGate>(),
            services.GetRequiredService<RunLock>(),
            services.GetRequiredService<JobRun>(),
            services.GetRequiredService<EvidenceCollector>(),
            services.GetRequiredService<IReporter>(),
            services.GetRequiredService<TimeProvider>()))
        .AddSingleton(services => new Deployer(
            services.GetRequiredService<PipelineRun>(),
            services.GetRequiredService<ClusterConnector>(),
            services.GetRequiredService<ManifestLoader>(),
            services.GetRequiredService<ImageGate>(),
            services.GetRequiredService<Planner>(),
            services.GetRequiredService<Applier>(),
            services.GetRequiredService<RunLock>(),
            services.GetRequiredService<IReporter>(),
            services.GetRequiredService<TimeProvider>()))
        .AddSingleton(services => new RolloutVerifier(
            services.GetRequiredService<PipelineRun>(),
            services.GetRequiredService<ClusterConnector>(),
            services.GetRequiredService<RunLock>(),
            services.GetRequiredService<RolloutWatcher>(),
            services.GetRequiredService<EvidenceCollector>(),
            services.GetRequiredService<ReleaseApplier>(),
            services.GetRequiredService<Applier>(),
            services.GetRequiredService<ReleaseSummary>(),
            services.GetRequiredService<IReporter>(),
            services.GetRequiredService<TaskDurations>(),
            services.GetRequiredService<TimeProvider>()))
        .AddSingleton(services => new Rollback(
            services.GetRequiredService<PipelineRun>(),
            services.GetRequiredService<ClusterConnector>(),
            services.GetRequiredService<RunLock>(),
            services.GetRequiredService<ReleaseApplier>(),
            services.GetRequiredService<RolloutVerifier>(),
            services.GetRequiredService<IReporter>(),
            services.GetRequiredService<TimeProvider>()))
        .AddSingleton(services => new History(
            services.GetRequiredService<PipelineRun>(),
            services.GetRequiredService<ClusterConnector>(),
            services.GetRequiredService<IReporter>()))
        .AddSingleton(services => new Status(
            services.GetRequiredService<PipelineRun>(),
            services.GetRequiredService<ClusterConnector>(),
            services.GetRequiredService<RolloutWatcher>(),
            services.GetRequiredService<IReporter>(),
            services.GetRequiredService<TimeProvider>()));
}
