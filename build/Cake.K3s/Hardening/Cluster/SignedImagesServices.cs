using Cake.K3s.Hardening.Cluster.SignedImages;
using Cake.K3s.Hardening.Cluster.Webhooks;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Reporting;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hardening.Cluster;

/// <summary>Registers what decides about images in the cluster: the last of the controls, because a webhook may fail closed.</summary>
internal static class SignedImagesServices
{
    internal static IServiceCollection AddSignedImages(this IServiceCollection services) => services
        .AddSingleton(provider => new WebhookRecovery(
            provider.GetRequiredService<PipelineRun>(),
            provider.GetRequiredService<ClusterConnector>(),
            provider.GetRequiredService<IReporter>()))
        .AddControl<SignedImagesControl>();
}
