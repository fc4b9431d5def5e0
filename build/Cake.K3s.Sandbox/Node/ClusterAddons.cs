using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Network.Ingress;
using Cake.K3s.Sandbox.Node.Volumes;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node;

/// <summary>The objects that a fresh K3s has and that people and tools look for: the Services of API and DNS, the storage class, the ingress class.</summary>
internal sealed class ClusterAddons(NodeOptions options, ClusterClient client, TimeProvider time, ILogger<ClusterAddons> logger) : BackgroundService
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(300);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (true)
        {
            try
            {
                await EnsureAsync(stoppingToken);
                return;
            }
            catch (Exception e) when (e is HttpRequestException or ApiException or IOException)
            {
                logger.LogDebug(e, "The cluster's own objects are not there yet");
                await Task.Delay(Retry, time, stoppingToken);
            }
        }
    }

    private async Task EnsureAsync(CancellationToken cancellationToken)
    {
        foreach (var space in new[] { "default", "kube-system" })
        {
            await EnsureAsync(new V1Namespace { Metadata = new V1ObjectMeta { Name = space } }, cancellationToken);
        }

        await EnsureAsync(
            new V1Service
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "kubernetes",
                    NamespaceProperty = "default",
                    Labels = new Dictionary<string, string> { ["component"] = "apiserver", ["provider"] = "kubernetes" },
                },
                Spec = new V1ServiceSpec
                {
                    ClusterIP = options.ApiAddress.ToString(),
                    Ports = [new V1ServicePort { Name = "https", Port = 443, Protocol = "TCP", TargetPort = options.ApiEndpoint?.Port ?? 6443 }],
                },
            },
            cancellationToken);
        await EnsureAsync(
            new V1Service
            {
                Metadata = new V1ObjectMeta
                {
                    Name = "kube-dns",
                    NamespaceProperty = "kube-system",
                    Labels = new Dictionary<string, string> { ["k8s-app"] = "kube-dns", ["kubernetes.io/name"] = "CoreDNS" },
                },
                Spec = new V1ServiceSpec
                {
                    ClusterIP = options.DnsAddress.ToString(),
                    Ports =
                    [
                        new V1ServicePort { Name = "dns", Port = 53, Protocol = "UDP", TargetPort = 53 },
                        new V1ServicePort { Name = "dns-tcp", Port = 53, Protocol = "TCP", TargetPort = 53 },
                    ],
                },
            },
            cancellationToken);
        await EnsureAsync(
            new V1StorageClass
            {
                Metadata = new V1ObjectMeta
                {
                    Name = LocalVolumeProvisioner.StorageClass,
                    Annotations = new Dictionary<string, string> { ["storageclass.kubernetes.io/is-default-class"] = "true" },
                },
                Provisioner = "rancher.io/local-path",
                ReclaimPolicy = "Delete",
                VolumeBindingMode = "Immediate",
            },
            cancellationToken);
        await EnsureAsync(
            new V1IngressClass
            {
                Metadata = new V1ObjectMeta { Name = "traefik", Annotations = new Dictionary<string, string> { ["ingressclass.kubernetes.io/is-default-class"] = "true" } },
                Spec = new V1IngressClassSpec { Controller = "traefik.io/ingress-controller" },
            },
            cancellationToken);
        await EnsureAsync(TraefikMiddleware.Definition, cancellationToken);
    }

    private async Task EnsureAsync<T>(T item, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            if (await client.FindAsync<T>(ObjectKey.Of(item), cancellationToken) is null)
            {
                await client.CreateAsync(item, cancellationToken);
            }
        }
        catch (ApiException e) when (e.IsAlreadyExists)
        {
            // Another start of the sandbox was faster.
        }
    }
}
