using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Operations.Uptime;

/// <summary>Registers what this folder brings.</summary>
internal static class UptimeServices
{
    internal static IServiceCollection AddUptime(this IServiceCollection services) => services
        .AddSingleton<UptimeProbe>()
        .AddSingleton(provider => new UptimeChecks(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<UptimeProbe>(),
            provider.GetRequiredService<IReporter>()));
}
