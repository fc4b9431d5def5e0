using Cake.K3s.Hosting;
using Cake.K3s.Settings;
using Cake.K3s.Tools.Debian;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.K3s.Tools;

/// <summary>Registers what this folder offers. Needs processes, a reporter and <see cref="RunOptions"/>.</summary>
internal static class ToolsServices
{
    internal static IServiceCollection AddTools(this IServiceCollection services)
    {
        services.TryAddSingleton(EnvironmentVariables.OfProcess);
        services.AddSingleton(provider => new ContentStore(provider.GetRequiredService<RunOptions>().ToolsDirectory));
        services.AddSingleton<IDebianPackages, DebianPackages>();
        services.AddSingleton<DebianTools>();
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<ReleaseTools>(provider, new HttpClient()));
        services.AddSingleton(provider => ActivatorUtilities.CreateInstance<Toolbox>(provider, ToolCatalog.All));
        services.AddSingleton<IToolbox>(provider => provider.GetRequiredService<Toolbox>());
        return services;
    }
}
