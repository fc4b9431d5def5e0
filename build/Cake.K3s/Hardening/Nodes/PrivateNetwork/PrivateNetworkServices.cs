using Cake.K3s.Edge.Hetzner;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hardening.Nodes.PrivateNetwork;

/// <summary>Registers what this folder offers.</summary>
internal static class PrivateNetworkServices
{
    private static readonly TimeSpan RequestLimit = TimeSpan.FromSeconds(30);

    internal static IServiceCollection AddPrivateNetwork(this IServiceCollection services) => services
        .AddSingleton<IControl>(provider =>
        {
            var (run, time) = (provider.GetRequiredService<PipelineRun>(), provider.GetRequiredService<TimeProvider>());
            return new PrivateNetworkControl(
                run,
                provider.GetRequiredService<NodeFleet>(),
                async (settings, cancellationToken) => new HetznerClient(
                    new HttpClient { Timeout = RequestLimit },
                    await provider.GetRequiredService<SecretReader>().ReadAsync("Hetzner's token", settings.Token, run.Settings.Root, cancellationToken),
                    time),
                time);
        });
}
