using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Targets;

/// <summary>Registers what this folder offers.</summary>
internal static class TargetsServices
{
    internal static IServiceCollection AddTargets(this IServiceCollection services) => services
        .AddSingleton<EnvironmentNames>()
        .AddSingleton(provider => new TargetList(
            provider.GetServices<IFrostingTask>(),
            provider.GetRequiredService<RunOptions>(),
            provider.GetRequiredService<EnvironmentNames>(),
            provider.GetRequiredService<IConsole>()))
        .AddSingleton<CakeReportPrinter>()
        .AddSingleton<ICakeReportPrinter, PipelineReportPrinter>();
}
