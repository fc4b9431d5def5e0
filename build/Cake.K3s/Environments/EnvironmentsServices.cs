using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Environments;

/// <summary>Registers what this folder offers.</summary>
internal static class EnvironmentsServices
{
    internal static IServiceCollection AddEnvironments(this IServiceCollection services) =>
        services
        .AddSingleton<KubeconfigOpener>()
        .AddSingleton<IEnvironmentOpener>(provider => provider.GetRequiredService<KubeconfigOpener>());
}
