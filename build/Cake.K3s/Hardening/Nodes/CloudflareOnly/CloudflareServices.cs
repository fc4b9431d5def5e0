using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hardening.Nodes.CloudflareOnly;

/// <summary>Registers what this folder offers.</summary>
internal static class CloudflareServices
{
    internal static IServiceCollection AddCloudflareOnly(this IServiceCollection services) => services
        .AddSingleton(provider => new CloudflareRangeSource(
            new HttpClient(),
            Path.Combine(provider.GetRequiredService<RunOptions>().Root, CloudflareRangeSource.FileName),
            provider.GetRequiredService<IReporter>()))
        .AddSingleton(provider => new CloudflareRefresh(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<CloudflareRangeSource>(),
            provider.GetRequiredService<Hardener>(),
            provider.GetRequiredService<ControlSet>(),
            provider.GetRequiredService<IReporter>()))
        .AddControl<CloudflareOnlyControl>();
}
