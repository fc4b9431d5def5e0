using Cake.K3s.Sandbox.ApiServer.Pods;
using Cake.K3s.Sandbox.Controllers;
using Cake.K3s.Sandbox.Network;
using Cake.K3s.Sandbox.Node.Engine;
using Cake.K3s.Sandbox.Node.Pods;
using Cake.K3s.Sandbox.Node.Probes;
using Cake.K3s.Sandbox.Node.Volumes;

namespace Cake.K3s.Sandbox.Node;

/// <summary>Puts the node into a host. The host registers a <see cref="Controllers.Client.ClusterClient"/>.</summary>
internal static class NodeServices
{
    public static IServiceCollection AddNode(this IServiceCollection services, NodeOptions options)
    {
        services.AddClusterAccess();
        services.AddSingleton(options);
        services.AddSingleton<ContainerEngine>();
        services.AddSingleton<NodeCapacity>();
        services.AddSingleton<PodSources>();
        services.AddSingleton<ImageSupply>();
        services.AddSingleton<ContainerEnvironment>();
        services.AddSingleton<PodVolumes>();
        services.AddSingleton<Prober>();
        services.AddSingleton<PodDependencies>();
        services.AddSingleton<IPodRuntime, PodRuntime>();
        services.AddHostedService<ClusterAddons>();
        services.AddHostedService<NodeRegistration>();
        services.AddHostedService<LocalVolumeProvisioner>();
        services.AddHostedService<NodeAgent>();
        services.AddNetwork();
        return services;
    }
}
