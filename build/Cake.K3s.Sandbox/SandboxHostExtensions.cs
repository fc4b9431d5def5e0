using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Diagnosis;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.BaseImages;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox;

/// <summary>Brings the sandbox into a Cake Frosting host.</summary>
public static class SandboxHostExtensions
{
    /// <summary>Adds the tasks SandboxUp, SandboxDown and SandboxStatus, and opens the environments that deploy.yaml marks as a sandbox.</summary>
    public static CakeHost UseSandbox(this CakeHost host) => host
        .AddAssembly(typeof(SandboxHostExtensions).Assembly)
        .ConfigureServices(services => services.AddSandbox());

    private static IServiceCollection AddSandbox(this IServiceCollection services) => services
        .AddSingleton<DaemonClient>()
        .AddSingleton<SandboxSigningKey>()
        .AddSingleton<BaseImageStore>()
        .AddSingleton(provider => new SandboxLifecycle(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<EnvironmentVariables>(),
            provider.GetRequiredService<DaemonClient>(),
            provider.GetRequiredService<ICommandRunner>(),
            provider.GetRequiredService<IReporter>(),
            provider.GetRequiredService<IConsole>()))
        .AddSingleton<ICheckup, SandboxCheckup>()
        .AddSingleton<IEnvironmentOpener, SandboxOpener>();
}
