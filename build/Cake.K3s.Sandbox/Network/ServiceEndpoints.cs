using System.Net;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Controllers.Discovery;
using Cake.K3s.Sandbox.Node;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network;

/// <summary>Where the traffic of a Service goes.</summary>
internal sealed class ServiceEndpoints(ClusterCache cache, NodeOptions options)
{
    private readonly Informer<V1EndpointSlice> _slices = cache.Of<V1EndpointSlice>();
    private readonly Informer<V1Endpoints> _endpoints = cache.Of<V1Endpoints>();

    /// <summary>
    /// The ready endpoints of a port, by its name; where there are none, those that still serve while they terminate, as kube-proxy does.
    /// </summary>
    public IReadOnlyList<IPEndPoint> Of(ObjectKey service, string portName)
    {
        if (service == new ObjectKey("default", "kubernetes"))
        {
            return options.ApiEndpoint is { } api ? [api] : [];
        }

        var slices = Slices(service).ToList();
        if (slices.Count == 0)
        {
            return FromEndpoints(service, portName);
        }

        var ready = Select(slices, portName, endpoint => endpoint.Conditions?.Ready != false);
        return ready.Count > 0 ? ready : Select(slices, portName, endpoint => endpoint.Conditions is { Serving: true, Terminating: true });
    }

    /// <summary>The ready endpoints themselves, for DNS names of single pods.</summary>
    public IEnumerable<V1Endpoint> Ready(ObjectKey service) =>
        Slices(service).SelectMany(slice => slice.Endpoints ?? []).Where(endpoint => endpoint.Conditions?.Ready != false);

    private IEnumerable<V1EndpointSlice> Slices(ObjectKey service) => _slices.In(service.Namespace).Where(slice =>
        slice.Metadata.Labels?.TryGetValue(EndpointsController.ServiceName, out var name) == true && name == service.Name);

    private static List<IPEndPoint> Select(List<V1EndpointSlice> slices, string portName, Func<V1Endpoint, bool> wanted) =>
    [
        .. from slice in slices
           from port in slice.Ports ?? []
           where (port.Name ?? "") == portName && port.Port is not null
           from endpoint in slice.Endpoints ?? []
           where wanted(endpoint)
           from address in endpoint.Addresses
           select new IPEndPoint(IPAddress.Parse(address), port.Port!.Value),
    ];

    /// <summary>A Service without a selector, whose Endpoints somebody wrote by hand.</summary>
    private List<IPEndPoint> FromEndpoints(ObjectKey service, string portName) =>
    [
        .. from subset in _endpoints.Find(service)?.Subsets ?? []
           from port in subset.Ports ?? []
           where (port.Name ?? "") == portName
           from address in subset.Addresses ?? []
           select new IPEndPoint(IPAddress.Parse(address.Ip), port.Port),
    ];
}
