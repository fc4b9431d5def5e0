using Cake.K3s.Sandbox.Controllers.Client;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.K3s.Sandbox.Controllers;

/// <summary>What controllers and the node share.</summary>
internal static class ClusterAccess
{
    public static IServiceCollection AddClusterAccess(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ClusterCache>();
        if (services.All(service => service.ServiceType != typeof(EventRecorder)))
        {
            services.AddSingleton<EventRecorder>();
            services.AddHostedService(provider => provider.GetRequiredService<EventRecorder>());
        }

        services.TryAddSingleton<ControllerContext>();
        return services;
    }
}
