using System.Collections.Immutable;
using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>
/// Says which connections NetworkPolicies let through, as K3s' own controller (kube-router) enforces them: pods on their node's network
/// are neither selected nor named by selectors, a node always reaches the pods on it, and ranges match pods' addresses too.
/// Reads objects only; touches no network.
/// </summary>
internal sealed class FlowEvaluator
{
    private readonly ILookup<string, Policy> _policies;
    private readonly ImmutableDictionary<string, ImmutableDictionary<string, string>> _namespaces;
    private readonly ImmutableDictionary<string, ImmutableArray<IPAddress>> _nodes;

    /// <summary>Prepares policies.</summary>
    /// <param name="policies">NetworkPolicies (<c>networking.k8s.io/v1</c>) of any namespaces.</param>
    /// <param name="namespaces">The labels of each namespace.</param>
    /// <param name="nodes">The addresses of each node, on either network.</param>
    public FlowEvaluator(
        IEnumerable<JsonObject> policies,
        ImmutableDictionary<string, ImmutableDictionary<string, string>> namespaces,
        ImmutableDictionary<string, ImmutableArray<IPAddress>> nodes)
    {
        _policies = policies.Select(policy => new Policy(policy)).ToLookup(policy => policy.Namespace);
        _namespaces = namespaces;
        _nodes = nodes;
    }

    /// <summary>What becomes of a connection: the one who opens it must be allowed out, and be allowed in at the other end.</summary>
    public FlowVerdict Evaluate(Flow flow)
    {
        if (flow.From is PodEnd { HostNetwork: false } from && flow.To is PodEnd { HostNetwork: false } to && from.Addresses.SequenceEqual(to.Addresses))
        {
            return new(true, "a pod always reaches itself");
        }

        var outgoing = Judge(flow, flow.From, "egress");
        if (!outgoing.IsAllowed)
        {
            return outgoing;
        }

        if (flow.To is PodEnd { HostNetwork: false, Node: { } node } && IsNode(flow.From, node))
        {
            return new(true, "a node always reaches the pods on it");
        }

        var incoming = Judge(flow, flow.To, "ingress");
        return incoming.IsAllowed ? new(true, $"{outgoing.Reason}; {incoming.Reason}") : incoming;
    }

    private bool IsNode(NetworkEnd end, string node) => end switch
    {
        PodEnd { HostNetwork: true } pod => pod.Node == node,
        AddressEnd address => _nodes.TryGetValue(node, out var own) && address.Addresses.All(own.Contains),
        _ => false,
    };

    /// <summary>What the policies that select one end say about its direction.</summary>
    private FlowVerdict Judge(Flow flow, NetworkEnd end, string direction)
    {
        if (end is not PodEnd { HostNetwork: false } pod)
        {
            return new(true, $"{end.Name} is no pod of its own network");
        }

        var selecting = _policies[pod.Namespace].Where(policy => policy.Has(direction) && LabelSelector.Matches(policy.PodSelector, pod.Labels)).ToList();
        if (selecting.Count == 0)
        {
            return new(true, $"no policy limits the {direction} of {pod.Name}");
        }

        var allowing = selecting.FirstOrDefault(policy => policy.Rules(direction).Any(rule => Allows(rule, policy, flow, direction)));
        return allowing is not null
            ? new(true, $"{allowing.Name} ({direction})")
            : new(false, $"{string.Join(", ", selecting.Select(policy => policy.Name))} ({direction}) {(selecting.Count == 1 ? "does" : "do")} not name it");
    }

    private bool Allows(JsonObject rule, Policy policy, Flow flow, string direction)
    {
        var peer = direction == "egress" ? flow.To : flow.From;
        var peers = rule.At(direction == "egress" ? "to" : "from") as JsonArray;
        return (peers is not { Count: > 0 } || IsNamed(peers, policy, peer)) && AllowsPort(rule.At("ports") as JsonArray, flow);
    }

    /// <summary>Whether peers name an end. One with several addresses must be named under each of them: it chooses by itself.</summary>
    private bool IsNamed(JsonArray peers, Policy policy, NetworkEnd end)
    {
        var named = peers.OfType<JsonObject>().ToList();
        return (end is PodEnd { HostNetwork: false } pod && named.Any(peer => Selects(peer, policy, pod)))
            || (end.Addresses.Length > 0 && end.Addresses.All(address => named.Any(peer => Contains(peer["ipBlock"] as JsonObject, address))));
    }

    private bool Selects(JsonObject peer, Policy policy, PodEnd pod)
    {
        var (namespaces, pods) = (peer["namespaceSelector"] as JsonObject, peer["podSelector"] as JsonObject);
        var inNamespace = namespaces is null
            ? pods is not null && pod.Namespace == policy.Namespace
            : LabelSelector.Matches(namespaces, _namespaces.GetValueOrDefault(pod.Namespace) ?? Ranges.NoLabels);
        return inNamespace && (pods is null || LabelSelector.Matches(pods, pod.Labels));
    }

    private static bool Contains(JsonObject? block, IPAddress address) =>
        block?.Text("cidr") is { } cidr
        && Ranges.Contains(cidr, address)
        && !(block["except"] as JsonArray ?? []).Any(except => except is not null && Ranges.Contains(except.ToString(), address));

    private static bool AllowsPort(JsonArray? ports, Flow flow) => ports is not { Count: > 0 } || ports.OfType<JsonObject>().Any(port =>
        (port.Text("protocol") ?? "TCP") == flow.Protocol
        && (port["port"], port.Number("endPort")) switch
        {
            (null, _) => true,
            (JsonValue value, var end) when Number(value) is { } first => flow.Port >= first && flow.Port <= (end ?? first),
            (JsonValue value, _) => flow.To is PodEnd pod
                && pod.Ports.Any(named => named.Name == value.ToString() && named.Number == flow.Port && named.Protocol == flow.Protocol),
            _ => false,
        });

    private static long? Number(JsonValue value) =>
        value.TryGetValue(out long number) ? number : value.TryGetValue(out int small) ? small : null;

    private sealed class Policy(JsonObject node)
    {
        private readonly HashSet<string> _types = TypesOf(node);

        public string Namespace { get; } = node.NamespaceName() ?? "";

        public string Name { get; } = node.ObjectName() ?? "";

        // The API requires one; what lacks it selects every pod.
        public JsonObject PodSelector { get; } = node.At("spec", "podSelector") as JsonObject ?? [];

        public bool Has(string direction) => _types.Contains(direction);

        public IEnumerable<JsonObject> Rules(string direction) => node.Objects("spec", direction);

        private static HashSet<string> TypesOf(JsonObject node) => node.At("spec", "policyTypes") is JsonArray { Count: > 0 } types
            ? [.. types.Select(type => type?.ToString().ToLowerInvariant() ?? "")]

            // The API's own default.
            : node.At("spec", "egress") is JsonArray { Count: > 0 } ? ["ingress", "egress"] : ["ingress"];
    }
}

/// <summary>Ranges of addresses.</summary>
internal static class Ranges
{
    /// <summary>No labels.</summary>
    public static ImmutableDictionary<string, string> NoLabels { get; } = ImmutableDictionary<string, string>.Empty;

    /// <summary>Whether a range contains an address; one of another family does not. Bits of the address beyond the prefix do not count, as for the API.</summary>
    /// <exception cref="K3sException">It is no range in CIDR form.</exception>
    public static bool Contains(string cidr, IPAddress address)
    {
        var network = Parse(cidr);
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return network.BaseAddress.AddressFamily == plain.AddressFamily && network.Contains(plain);
    }

    /// <summary>A range of one address.</summary>
    public static string Of(IPAddress address) => $"{address}/{(address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128)}";

    /// <summary>Reads a range; bits beyond its prefix are dropped.</summary>
    /// <exception cref="K3sException">It is none in CIDR form.</exception>
    public static IPNetwork Parse(string cidr)
    {
        var parts = cidr.Split('/');
        if (parts.Length == 2
            && IPAddress.TryParse(parts[0], out var address)
            && int.TryParse(parts[1], System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var length)
            && length <= (address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128))
        {
            return new(Masked(address, length), length);
        }

        throw new K3sException(ExitCodes.Failed, $"'{cidr}' is no range of addresses", "write it as address/prefix, e.g. 10.42.0.0/16");
    }

    private static IPAddress Masked(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }

        return new(bytes);
    }
}
