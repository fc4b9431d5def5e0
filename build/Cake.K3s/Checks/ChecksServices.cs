using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Checks;

/// <summary>Registers what this folder offers.</summary>
internal static class ChecksServices
{
    internal static IServiceCollection AddChecks(this IServiceCollection services) => services
        .AddSingleton(provider => new CheckRunner(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<TimeProvider>()));
}
