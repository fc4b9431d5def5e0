using Cake.K3s.Sandbox.Network.Ingress;
using Cake.K3s.Sandbox.Network.Policies;

namespace Cake.K3s.Sandbox.Network;

/// <summary>Puts Service addresses, DNS and Ingress into a host that has the node.</summary>
internal static class NetworkServices
{
    public static IServiceCollection AddNetwork(this IServiceCollection services)
    {
        services.AddSingleton<ServiceEndpoints>();
        services.AddSingleton<ClusterZone>();
        services.AddSingleton<PolicyEnforcer>();
        services.AddHostedService(provider => provider.GetRequiredService<PolicyEnforcer>());
        services.AddHostedService<ServiceProxy>();
        services.AddHostedService<DnsServer>();
        services.AddSingleton<IngressMiddlewares>();
        services.AddHostedService<IngressServer>();
        services.AddHostedService<AddressPublisher>();
        return services;
    }
}
