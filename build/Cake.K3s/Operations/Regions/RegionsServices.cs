using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Operations.Regions;

/// <summary>Registers what this folder brings.</summary>
internal static class RegionsServices
{
    internal static IServiceCollection AddRegions(this IServiceCollection services) => services
        .AddSingleton<IRegionDeployer, RegionPipeline>()
        .AddSingleton(provider => new RegionRollout(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<IRegionDeployer>(),
            provider.GetRequiredService<IReporter>()));
}
