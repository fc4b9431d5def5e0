using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Requirements;

/// <summary>Registers what this folder offers.</summary>
internal static class RequirementsServices
{
    // Enough for one lost packet; an operator who mistyped a host name is not kept waiting.
    private static readonly RetryTimes FewRetries = new(2, TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(5));

    internal static IServiceCollection AddRequirements(this IServiceCollection services) => services
        .AddSingleton(provider => new RequirementCheck(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<IToolbox>(),
            new RegistryClients(
                provider.GetRequiredService<DockerCredentials>(),
                provider.GetRequiredService<ISecretMask>(),
                provider.GetRequiredService<IReporter>(),
                provider.GetRequiredService<TimeProvider>())
            { Retries = FewRetries },
            provider.GetRequiredService<ClusterConnector>()));
}
