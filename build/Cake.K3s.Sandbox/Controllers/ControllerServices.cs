using Cake.K3s.Sandbox.Controllers.Batch;
using Cake.K3s.Sandbox.Controllers.Discovery;
using Cake.K3s.Sandbox.Controllers.Namespaces;
using Cake.K3s.Sandbox.Controllers.Policy;
using Cake.K3s.Sandbox.Controllers.Scheduling;
using Cake.K3s.Sandbox.Controllers.Workloads;

namespace Cake.K3s.Sandbox.Controllers;

/// <summary>
/// Puts the controllers of a cluster into a host. The host registers a <see cref="Client.ClusterClient"/> that may do everything; any
/// API server will do.
/// </summary>
internal static class ControllerServices
{
    public static IServiceCollection AddClusterControllers(this IServiceCollection services)
    {
        services.AddClusterAccess();
        services.AddHostedService<Scheduler>();
        services.AddHostedService<DeploymentController>();
        services.AddHostedService<ReplicaSetController>();
        services.AddHostedService<StatefulSetController>();
        services.AddHostedService<DaemonSetController>();
        services.AddHostedService<JobController>();
        services.AddHostedService<CronJobController>();
        services.AddHostedService<ServiceAccountController>();
        services.AddHostedService<EndpointsController>();
        services.AddHostedService<DisruptionController>();
        return services;
    }
}
