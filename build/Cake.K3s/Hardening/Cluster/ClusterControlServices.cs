using Cake.Core;
using Cake.K3s.Hardening.Cluster.Backups;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Cluster.ExternalSecrets;
using Cake.K3s.Hardening.Cluster.Migrations;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using Cake.K3s.Hardening.Cluster.Observability;
using Cake.K3s.Hardening.Cluster.Reboots;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.Hardening.Cluster.TraefikMiddleware;
using Cake.K3s.Hardening.Cluster.Uptime;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Operations.Uptime;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hardening.Cluster;

/// <summary>Registers the controls of this folder, in the order in which they are applied.</summary>
internal static class ClusterControlServices
{
    internal static IServiceCollection AddClusterControls(this IServiceCollection services) => services
        .AddSingleton(provider => new ControlCluster(
            provider.GetRequiredService<PipelineRun>(), provider.GetRequiredService<ClusterConnector>().OpenAsync, provider.GetRequiredService<TimeProvider>()))
        .AddControl<BackupsControl>()
        .AddSingleton<NetworkPoliciesControl>()
        .AddSingleton<IControl>(provider => provider.GetRequiredService<NetworkPoliciesControl>())
        .AddSingleton<RedisCli>()
        .AddControl<RedisPasswordControl>()
        .AddSingleton<IControl>(provider => new TraefikMiddlewareControl(
            provider.GetRequiredService<ControlCluster>(),
            provider.GetRequiredService<ManifestLoader>(),
            new HttpClient { Timeout = TimeSpan.FromSeconds(10) }))
        .AddControl<MigrationJobControl>()
        .AddControl<RebootsControl>()
        .AddSingleton(provider => new ChartInstaller(provider.GetRequiredService<RolloutWatcher>(), provider.GetRequiredService<TimeProvider>()))
        .AddControl<MonitoringControl>()
        .AddControl<LogsControl>()
        .AddControl<TracingControl>()
        .AddSingleton<IControl>(provider => new UptimeControl(
            provider.GetRequiredService<ControlCluster>(),
            provider.GetRequiredService<SecretReader>(),
            provider.GetRequiredService<UptimeProbe>(),
            new HttpClient { Timeout = TimeSpan.FromSeconds(30) },
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(_ => new VaultReader(new HttpClient { Timeout = TimeSpan.FromSeconds(10) }))
        .AddControl<ExternalSecretsControl>()
        .AddSingleton(provider => new FlowsReport(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<NetworkPoliciesControl>(),
            provider.GetRequiredService<IConsole>()));
}
