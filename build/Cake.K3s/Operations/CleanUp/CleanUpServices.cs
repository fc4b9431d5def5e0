using Cake.K3s.Hardening;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Operations.CleanUp;

/// <summary>Registers what this folder brings.</summary>
internal static class CleanUpServices
{
    internal static IServiceCollection AddCleanUp(this IServiceCollection services) => services.AddSingleton(provider => new OldFiles(
        provider.GetRequiredService<PipelineRun>(),
        provider.GetRequiredService<ControlSet>(),
        provider.GetRequiredService<Hardener>(),
        provider.GetRequiredService<IReporter>()));
}
