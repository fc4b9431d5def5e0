using Cake.K3s.Hosting;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Nodes;

/// <summary>Registers what this folder offers.</summary>
internal static class NodesServices
{
    /// <param name="services">The services.</param>
    /// <param name="sources">Whose facts are read; asked when the first ones are.</param>
    internal static IServiceCollection AddNodes(this IServiceCollection services, Func<IServiceProvider, IEnumerable<IFactSource>> sources) => services
        .AddSingleton(provider => new NodeFleet(
            provider.GetRequiredService<PipelineRun>(),
            () => sources(provider),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<TimeProvider>()));
}
