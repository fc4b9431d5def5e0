using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Forges;

/// <summary>Registers what this folder offers. After processes, whose mask it widens in jobs of Gitea and GitHub Actions.</summary>
internal static class ForgesServices
{
    internal static IServiceCollection AddForges(this IServiceCollection services) => services
        .AddSingleton<ISecretMask>(provider => ForgeJob.IsIn(provider.GetRequiredService<EnvironmentVariables>())
            ? new AnnouncingMask(new SecretMask(), provider.GetRequiredService<CakeConsole>())
            : new SecretMask())
        .AddSingleton(provider => new CurrentForgeJob(ForgeJob.Find(provider.GetRequiredService<EnvironmentVariables>())))
        .AddSingleton<IRunObserver>(provider => ForgeJob.IsIn(provider.GetRequiredService<EnvironmentVariables>())
            ? new LogGroups(provider.GetRequiredService<IConsole>())
            : new Nobody())
        .AddSingleton<IRunObserver>(provider => new JobSummary(
            provider.GetRequiredService<CurrentForgeJob>().Job,
            provider.GetRequiredService<Lazy<PipelineRun>>(),
            provider.GetRequiredService<ICakeLog>()))

        // Octokit is loaded with the observer, so only where there is a forge to tell.
        .AddSingleton<IRunObserver>(provider => provider.GetRequiredService<CurrentForgeJob>().Job is { Token: not null } job
            ? new ForgeObserver(
                job,
                provider.GetRequiredService<Lazy<PipelineRun>>(),
                provider.GetRequiredService<ICakeLog>(),
                provider.GetRequiredService<ISecretMask>())
            : new Nobody());

    private sealed record CurrentForgeJob(ForgeJob? Job);

    private sealed class Nobody : IRunObserver
    {
        public void Observe(RunEvent runEvent)
        {
        }
    }
}
