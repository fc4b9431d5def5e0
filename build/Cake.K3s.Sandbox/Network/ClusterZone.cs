using System.Net;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network;

/// <summary>The names of Services and pods (the Kubernetes DNS specification, 1.1).</summary>
internal sealed class ClusterZone(ClusterCache cache, ServiceEndpoints endpoints, NodeOptions options)
{
    private const ushort AnyType = 255;
    private readonly Informer<V1Service> _services = cache.Of<V1Service>();

    /// <summary>Whether the zone answers for a name.</summary>
    public bool Holds(string name) => name == options.ClusterDomain || name.EndsWith("." + options.ClusterDomain, StringComparison.Ordinal);

    /// <summary>The records of a name; null where the name does not exist, none where it has none of this type.</summary>
    public IReadOnlyList<DnsRecord>? Find(string name, ushort type)
    {
        var labels = name == options.ClusterDomain ? [] : name[..^(options.ClusterDomain.Length + 1)].Split('.');
        return labels switch
        {
            [] or ["svc"] or ["pod"] => [],
            [var pod, var ns, "pod"] when IPAddress.TryParse(pod.Replace('-', '.'), out var address) && ns.Length > 0 => Addresses([address], type),
            [var ns, "svc"] => _services.In(ns).Any() ? [] : null,
            [var service, var ns, "svc"] => Service(new(ns, service), type),
            [['_', .. var port], ['_', .. var protocol], var service, var ns, "svc"] => Ports(new(ns, service), port, protocol, type),
            [var host, var service, var ns, "svc"] => Host(new(ns, service), host, type),
            _ => null,
        };
    }

    private List<DnsRecord>? Service(ObjectKey key, ushort type)
    {
        if (_services.Find(key) is not { } service)
        {
            return null;
        }

        if (service.Spec.Type == "ExternalName")
        {
            return [DnsRecord.Alias(service.Spec.ExternalName)];
        }

        return service.Spec.ClusterIP == "None"
            ? Addresses(endpoints.Ready(key).SelectMany(endpoint => endpoint.Addresses).Select(IPAddress.Parse), type)
            : IPAddress.TryParse(service.Spec.ClusterIP, out var address) ? Addresses([address], type) : [];
    }

    private List<DnsRecord>? Host(ObjectKey key, string host, ushort type)
    {
        if (_services.Find(key) is null)
        {
            return null;
        }

        var found = endpoints.Ready(key).Where(endpoint => endpoint.Hostname == host || endpoint.Addresses.Any(address => address.Replace('.', '-') == host))
            .SelectMany(endpoint => endpoint.Addresses).Select(IPAddress.Parse).ToList();
        return found.Count == 0 ? null : Addresses(found, type);
    }

    private List<DnsRecord>? Ports(ObjectKey key, string port, string protocol, ushort type)
    {
        var service = _services.Find(key);
        var found = service?.Spec.Ports?.FirstOrDefault(p => p.Name == port && string.Equals(p.Protocol ?? "TCP", protocol, StringComparison.OrdinalIgnoreCase));
        if (found is null)
        {
            return null;
        }

        var host = $"{key.Name}.{key.Namespace}.svc.{options.ClusterDomain}";
        return type is not (DnsRecord.Service or AnyType) ? []
            : service!.Spec.ClusterIP != "None" ? [DnsRecord.Port(found.Port, host)]
            : [.. endpoints.Ready(key).Select(endpoint => DnsRecord.Port(
                endpoints.Of(key, port).FirstOrDefault()?.Port ?? found.Port,
                $"{endpoint.Hostname ?? endpoint.Addresses[0].Replace('.', '-')}.{host}"))];
    }

    private static List<DnsRecord> Addresses(IEnumerable<IPAddress> addresses, ushort type) =>
        type is DnsRecord.A or AnyType ? [.. addresses.Select(DnsRecord.Address)] : [];
}
