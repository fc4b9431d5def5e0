using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Scaffolding;

/// <summary>Registers what this folder offers.</summary>
internal static class ScaffoldingServices
{
    internal static IServiceCollection AddScaffolding(this IServiceCollection services) => services
        .AddSingleton<AppSurveyor>()
        .AddSingleton(provider => new AppScaffold(
            provider.GetRequiredService<RunOptions>(),
            provider.GetRequiredService<AppSurveyor>(),
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<IReporter>()));
}
