using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Checks;
using Cake.K3s.Diagnosis;
using Cake.K3s.Engine;
using Cake.K3s.Environments;
using Cake.K3s.Forges;
using Cake.K3s.Hardening;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes;
using Cake.K3s.Notifications;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Operations.CleanUp;
using Cake.K3s.Operations.Contingency;
using Cake.K3s.Operations.Regions;
using Cake.K3s.Operations.Scaling;
using Cake.K3s.Operations.Uptime;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Progress;
using Cake.K3s.Reporting.Report;
using Cake.K3s.Requirements;
using Cake.K3s.Scaffolding;
using Cake.K3s.Settings;
using Cake.K3s.Targets;
using Cake.K3s.Tasks;
using Cake.K3s.Telemetry;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hosting;

/// <summary>Brings the library into a Cake Frosting host.</summary>
public static class K3sHostExtensions
{
    /// <summary>
    /// Adds the library's tasks, its context and its services. Your own tasks go beside them, with
    /// <c>FrostingTask&lt;K3sContext&gt;</c> as their base.
    /// </summary>
    public static CakeHost UseK3s(this CakeHost host) => host
        .AddAssembly(typeof(K3sContext).Assembly)
        .UseContext<K3sContext>()
        .UseLifetime<RunLifetime>()
        .UseCakeSetting("Frosting_KnownArguments", string.Join(',', Switches.All.Select(known => known.Name)))
        .UseCakeSetting("Frosting_Program", "./build.sh")
        .UseCakeSetting("Frosting_ArgumentsHelp", string.Join('\n', Switches.Help))
        .ConfigureServices(services => services.AddK3s());

    private static IServiceCollection AddK3s(this IServiceCollection services) => services
        .AddTransient(typeof(Lazy<>), typeof(LazyService<>))
        .AddSingleton(TimeProvider.System)
        .AddSingleton(provider => RunOptionsReader.Read(
            provider.GetRequiredService<ICakeArguments>(),
            provider.GetRequiredService<ICakeEnvironment>()))
        .AddSingleton<PipelineRun>()
        .AddSingleton<Preflight>()
        .AddSingleton(provider => new RunEnding(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<RunRecorder>(),
            provider.GetRequiredService<ReportFiles>(),
            provider.GetRequiredService<Screen>()))
        .AddReporting()
        .AddSettings()
        .AddProcesses()
        .AddTools()
        .AddChecks()
        .AddEnvironments()
        .AddImages()
        .AddKubernetes()
        .AddRequirements()
        .AddForges()
        .AddNotifications()
        .AddTelemetry()
        .AddTargets()
        .AddScaffolding()
        .AddDiagnosis()
        .AddBackups()
        .AddRegions()
        .AddUptime()
        .AddContingency()
        .AddHardening()
        .AddCleanUp()
        .AddScaling()
        .AddEngine();
}
