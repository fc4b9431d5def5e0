using Cake.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Engine;

/// <summary>Registers the engine that runs the tasks.</summary>
internal static class EngineServices
{
    internal static IServiceCollection AddEngine(this IServiceCollection services) => services
        .AddSingleton<CakeEngine>()
        .AddSingleton<ICakeEngine>(provider => new FollowUpEngine(provider.GetRequiredService<CakeEngine>(), provider));
}
