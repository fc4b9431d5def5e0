using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Reporting;

/// <summary>Registers what tells about a run.</summary>
internal static class ReportingServices
{
    internal static IServiceCollection AddReporting(this IServiceCollection services) => services
        .AddSingleton<CurrentTask>()
        .AddSingleton<IReporter, RunReporter>()
        .AddSingleton<IRunObserver, ConsoleReporter>()
        .AddSingleton<TaskDurations>()
        .AddSingleton<IRunObserver>(provider => provider.GetRequiredService<TaskDurations>());
}
