using System.Collections.Immutable;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Edge.EdgeCache;
using Cake.K3s.Hardening.Edge.LoadBalancer;
using Cake.K3s.Hardening.Edge.OriginTls;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hardening.Edge;

/// <summary>Registers the controls of this folder, in the order in which they are applied.</summary>
internal static class EdgeControlServices
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    internal static IServiceCollection AddEdgeControls(this IServiceCollection services) => services
        .AddSingleton(provider => new CloudflareConnector(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<SecretReader>(),
            new HttpClient { Timeout = Limit },
            provider.GetRequiredService<TimeProvider>()))
        .AddSingleton(provider => new EdgeVisitor(
            provider.GetRequiredService<ControlCluster>(),
            new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false }) { Timeout = Limit }))
        .AddSingleton<Func<OriginTlsSettings, ImmutableArray<Origin>>>(provider => settings => settings.Origins.IsDefaultOrEmpty
            ? [.. provider.GetRequiredService<NodeFleet>().Nodes.Select(node => new NodeOrigin(node))]
            : [.. settings.Origins.Select(address => new DirectOrigin(address))])
        .AddControl<OriginTlsControl>()
        .AddControl<EdgeCacheControl>()
        .AddControl<LoadBalancerControl>()
        .AddSingleton(provider => new EdgeCachePurge(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<CloudflareConnector>(),
            provider.GetRequiredService<IReporter>()));
}
