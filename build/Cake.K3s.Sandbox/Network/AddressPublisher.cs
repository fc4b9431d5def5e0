using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Pods;
using Cake.K3s.Sandbox.Node;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network;

/// <summary>Says in the status of Ingresses and LoadBalancer Services where they can be reached.</summary>
internal sealed class AddressPublisher : Controller
{
    private readonly ControllerContext _context;
    private readonly NodeOptions _options;
    private readonly Informer<V1Service> _services;
    private readonly Informer<V1Ingress> _ingresses;

    public AddressPublisher(ControllerContext context, NodeOptions options)
        : base(context)
    {
        (_context, _options) = (context, options);
        _services = context.Cache.Of<V1Service>();
        _ingresses = context.Cache.Of<V1Ingress>();
        _services.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
        _ingresses.Changed += (old, now) => Queue.Add(ObjectKey.Of((now ?? old)!));
    }

    protected override async Task ReconcileAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        if (_options.IngressPort > 0 && _ingresses.Find(key) is { } ingress && ingress.Status?.LoadBalancer?.Ingress is not { Count: > 0 })
        {
            var status = new V1IngressStatus { LoadBalancer = new V1IngressLoadBalancerStatus { Ingress = [new V1IngressLoadBalancerIngress { Ip = "127.0.0.1" }] } };
            await StatusWriter.WriteAsync(_context, ingress, ingress.Status, status, cancellationToken);
        }

        // A cluster IP of the sandbox is reachable from this machine, so it serves as the external one.
        if (_services.Find(key) is { Spec: { Type: "LoadBalancer", ClusterIP.Length: > 0 } } service && service.Status?.LoadBalancer?.Ingress is not { Count: > 0 })
        {
            var status = new V1ServiceStatus { LoadBalancer = new V1LoadBalancerStatus { Ingress = [new V1LoadBalancerIngress { Ip = service.Spec.ClusterIP, IpMode = "VIP" }] } };
            await StatusWriter.WriteAsync(_context, service, service.Status, status, cancellationToken);
        }
    }
}
