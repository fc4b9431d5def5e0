using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Progress;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Engine;

/// <summary>Registers the engine that runs the tasks.</summary>
internal static class EngineServices
{
    internal static IServiceCollection AddEngine(this IServiceCollection services) => services
        .AddSingleton<IConsole>(provider => new TaskConsole(provider.GetRequiredService<Screen>()))
        .AddSingleton<ICakeEngine>(provider => new PipelineEngine(
            provider.GetRequiredService<ICakeDataService>(),
            provider.GetRequiredService<ICakeLog>(),
            provider.GetRequiredService<IConsole>(),
            () => TaskTraits.Of(provider.GetServices<IFrostingTask>().Select(task => task.GetType())),
            () => OptionsOf(provider)));

    private static EngineOptions OptionsOf(IServiceProvider provider)
    {
        var arguments = provider.GetRequiredService<ICakeArguments>();
        var run = provider.GetRequiredService<PipelineRun>();
        return new(
            arguments.HasArgument("sequential"),
            arguments.HasArgument("fail-fast"),
            run.Cancel,
            run.Cancellation,
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<CurrentTask>());
    }
}
