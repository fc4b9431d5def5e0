using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.K3s.Processes;

/// <summary>Registers what this folder offers.</summary>
internal static class ProcessesServices
{
    internal static IServiceCollection AddProcesses(this IServiceCollection services)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<ISecretMask, SecretMask>();
        services.AddSingleton<ICommandRunner, CommandRunner>();
        return services;
    }
}
