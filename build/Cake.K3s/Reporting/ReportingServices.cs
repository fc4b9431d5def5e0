using Cake.Core;
using Cake.K3s.Reporting.Progress;
using Cake.K3s.Reporting.Report;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Reporting;

/// <summary>Registers what tells about a run.</summary>
internal static class ReportingServices
{
    internal static IServiceCollection AddReporting(this IServiceCollection services) => services
        .AddSingleton<CurrentTask>()
        .AddSingleton<IReporter, RunReporter>()
        .AddSingleton<CakeConsole>()
        .AddSingleton(provider => new Screen(
            provider.GetRequiredService<CakeConsole>(),
            () => Screen.FindTerminal(provider.GetRequiredService<EnvironmentVariables>()),
            provider.GetRequiredService<TimeProvider>()))

        // The display goes before the lines that are written when a run has ended.
        .AddSingleton<IRunObserver, LiveProgress>()
        .AddSingleton<IRunObserver, ConsoleReporter>()
        .AddSingleton<IRunObserver, Heartbeat>()
        .AddSingleton<RunRecorder>()
        .AddSingleton<IRunObserver>(provider => provider.GetRequiredService<RunRecorder>())
        .AddSingleton<ReportFiles>()
        .AddSingleton<TaskDurations>()
        .AddSingleton<IRunObserver>(provider => provider.GetRequiredService<TaskDurations>());
}
