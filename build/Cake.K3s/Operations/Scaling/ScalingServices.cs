using Cake.Core;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Cluster.RedisPassword;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Operations.Scaling;

/// <summary>Registers what this folder brings.</summary>
internal static class ScalingServices
{
    internal static IServiceCollection AddScaling(this IServiceCollection services) => services.AddSingleton(provider => new ScalingReport(
        provider.GetRequiredService<PipelineRun>(),
        provider.GetRequiredService<ControlCluster>(),
        provider.GetRequiredService<RedisCli>(),
        provider.GetRequiredService<SecretReader>(),
        provider.GetRequiredService<ISecretMask>(),
        provider.GetRequiredService<IConsole>()));
}
