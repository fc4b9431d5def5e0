using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;

namespace Cake.K3s.Sandbox.ApiServer.Admission;

/// <summary>Gives Services their cluster IPs and node ports.</summary>
internal sealed class ServiceAddresses(ObjectStore store, ApiServerOptions options)
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Lazy<(uint First, uint Last)> _range = new(() => Range(options.ServiceCidr));

    /// <summary>A client that leaves an address out keeps it.</summary>
    public static void Keep(JsonObject value, JsonObject old)
    {
        var (spec, before) = (value.Object("spec"), old.Object("spec"));
        if (spec is null || before is null || spec.Text("type") == "ExternalName" || before.Text("type") == "ExternalName")
        {
            return;
        }

        foreach (var field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
        {
            if (spec[field] is null && before[field] is { } kept)
            {
                spec[field] = kept.DeepClone();
            }
        }

        if (spec.Text("type") is not ("NodePort" or "LoadBalancer"))
        {
            return;
        }

        foreach (var port in spec.Objects("ports").Where(port => port["nodePort"] is null))
        {
            var same = before.Objects("ports").FirstOrDefault(one => one.Integer("port") == port.Integer("port") && one.Text("protocol") == port.Text("protocol"));
            if (same?["nodePort"] is { } nodePort)
            {
                port["nodePort"] = nodePort.DeepClone();
            }
        }
    }

    /// <summary>Fills in what a Service has not got yet. The result must be disposed when the Service is stored.</summary>
    /// <exception cref="ApiException">An address that is asked for is taken, or none is left.</exception>
    public IDisposable? Allocate(ResourceDefinition resource, JsonObject value, JsonObject? old, IDisposable? also)
    {
        _one.Wait();
        try
        {
            var spec = value.Ensure("spec");
            if (spec.Text("type") == "ExternalName")
            {
                foreach (var field in (string[])["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"])
                {
                    spec.Remove(field);
                }
            }
            else
            {
                var others = store.List("services").Objects.Where(other => other.Key.Name != value.Name() || other.Key.Namespace != value.Namespace())
                    .Select(other => other.Shared.Object("spec")).ToList();
                ClusterIp(resource, value, spec, old, others);
                NodePorts(resource, value, spec, others);
            }

            return new Held(_one, also);
        }
        catch
        {
            _one.Release();
            also?.Dispose();
            throw;
        }
    }

    private void ClusterIp(ResourceDefinition resource, JsonObject value, JsonObject spec, JsonObject? old, List<JsonObject?> others)
    {
        var asked = spec.Text("clusterIP");
        var taken = others.Select(other => other.Text("clusterIP")).OfType<string>().ToHashSet(StringComparer.Ordinal);
        if (asked is not { Length: > 0 })
        {
            asked = Free(taken) ?? throw ApiErrors.Internal($"failed to allocate IP for {value.Name()}: range is full");
        }
        else if (asked != "None" && asked != old.Object("spec").Text("clusterIP") && (taken.Contains(asked) || !InRange(asked)))
        {
            throw ApiErrors.Invalid(resource, value.Name() ?? "", [FieldError.Invalid("spec.clusterIPs", new JsonArray(asked), taken.Contains(asked)
                ? "failed to allocate IP " + asked + ": provided IP is already allocated"
                : $"failed to allocate IP {asked}: the provided IP ({asked}) is not in the valid range. The range of valid IPs is {options.ServiceCidr}")]);
        }

        spec["clusterIP"] = asked;
        spec["clusterIPs"] = new JsonArray(asked);
        spec.Default("ipFamilies", new JsonArray("IPv4"));
        spec.Default("ipFamilyPolicy", "SingleStack");
    }

    private void NodePorts(ResourceDefinition resource, JsonObject value, JsonObject spec, List<JsonObject?> others)
    {
        var wanted = spec.Text("type") == "NodePort" || (spec.Text("type") == "LoadBalancer" && spec.Flag("allocateLoadBalancerNodePorts") != false);
        if (!wanted)
        {
            if (spec.Text("type") != "LoadBalancer")
            {
                foreach (var port in spec.Objects("ports"))
                {
                    port.Remove("nodePort");
                }
            }

            return;
        }

        var taken = others.SelectMany(other => other.Objects("ports")).Select(port => port.Integer("nodePort")).OfType<long>().ToHashSet();
        foreach (var port in spec.Objects("ports"))
        {
            if (port.Integer("nodePort") is { } asked && asked > 0)
            {
                if (taken.Contains(asked))
                {
                    throw ApiErrors.Invalid(resource, value.Name() ?? "", [FieldError.Invalid("spec.ports[0].nodePort", asked, "provided port is already allocated")]);
                }

                if (asked < options.NodePorts.First || asked > options.NodePorts.Last)
                {
                    throw ApiErrors.Invalid(resource, value.Name() ?? "", [FieldError.Invalid("spec.ports[0].nodePort", asked,
                        $"provided port is not in the valid range. The range of valid ports is {options.NodePorts.First}-{options.NodePorts.Last}")]);
                }

                taken.Add(asked);
            }
        }

        foreach (var port in spec.Objects("ports").Where(port => (port.Integer("nodePort") ?? 0) == 0))
        {
            long next = options.NodePorts.First;
            while (taken.Contains(next))
            {
                next++;
            }

            port["nodePort"] = next <= options.NodePorts.Last ? next : throw ApiErrors.Internal("failed to allocate a nodePort: range is full");
            taken.Add(next);
        }
    }

    private bool InRange(string address)
        => IPAddress.TryParse(address, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetwork
            && Number(parsed) is var number && number >= _range.Value.First && number <= _range.Value.Last;

    /// <summary>The lower part is left for those that ask for an address, as a real server does; the first is the API's own.</summary>
    private string? Free(HashSet<string> taken)
    {
        var (first, last) = _range.Value;
        var start = first + Math.Min(256, (last - first) / 16);
        for (var number = start; number <= last; number++)
        {
            var address = new IPAddress([(byte)(number >> 24), (byte)(number >> 16), (byte)(number >> 8), (byte)number]).ToString();
            if (!taken.Contains(address))
            {
                return address;
            }
        }

        return null;
    }

    private static (uint First, uint Last) Range(string cidr)
    {
        var network = IPNetwork.Parse(cidr);
        var first = Number(network.BaseAddress);
        var size = network.PrefixLength == 0 ? uint.MaxValue : (uint)((1UL << (32 - network.PrefixLength)) - 1);
        return (first + 1, first + size - 1);
    }

    private static uint Number(IPAddress address)
    {
        var bytes = address.GetAddressBytes();
        return ((uint)bytes[0] << 24) | ((uint)bytes[1] << 16) | ((uint)bytes[2] << 8) | bytes[3];
    }

    private sealed class Held(SemaphoreSlim semaphore, IDisposable? also) : IDisposable
    {
        public void Dispose()
        {
            also?.Dispose();
            semaphore.Release();
        }
    }
}
