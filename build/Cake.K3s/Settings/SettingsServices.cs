using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Settings.Schema;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.K3s.Settings;

/// <summary>Registers what this folder offers.</summary>
internal static class SettingsServices
{
    internal static IServiceCollection AddSettings(this IServiceCollection services)
    {
        services.TryAddSingleton(EnvironmentVariables.OfProcess);
        services.AddSingleton<SettingsReader>();
        services.AddSingleton<SecretReader>();
        services.AddSingleton(provider => new SchemaFile(
            provider.GetRequiredService<RunOptions>(),
            provider.GetServices<IFrostingTask>(),
            provider.GetRequiredService<IReporter>()));
        return services;
    }
}
