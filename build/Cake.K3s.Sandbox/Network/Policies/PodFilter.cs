using System.Globalization;
using System.Net;
using System.Text;
using Cake.K3s.Sandbox.Controllers.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network.Policies;

/// <summary>What NetworkPolicies allow one pod, in addresses and ports; null in a direction that none of them limits.</summary>
/// <param name="Ingress">Who may connect to it, and to which of its ports.</param>
/// <param name="Egress">What it may connect to.</param>
internal sealed record PodFilter(IReadOnlyList<FilterRule>? Ingress, IReadOnlyList<FilterRule>? Egress)
{
    /// <summary>A pod that no policy selects.</summary>
    public static PodFilter Open { get; } = new(null, null);

    /// <summary>Works it out.</summary>
    /// <param name="pod">The pod; not one on its node's network.</param>
    /// <param name="cluster">What policies may be about.</param>
    public static PodFilter Of(V1Pod pod, PolicyObjects cluster)
    {
        var selecting = cluster.Policies
            .Where(policy => policy.Metadata.NamespaceProperty == pod.Metadata.NamespaceProperty
                && LabelSelectors.Matches(policy.Spec.PodSelector ?? new V1LabelSelector(), pod.Metadata.Labels))
            .ToList();
        var incoming = selecting.Where(policy => Limits(policy, "Ingress")).ToList();
        var outgoing = selecting.Where(policy => Limits(policy, "Egress")).ToList();
        return new(
            incoming.Count == 0 ? null : Distinct(incoming.SelectMany(policy => (policy.Spec.Ingress ?? []).SelectMany(rule =>
                Rules(policy, rule.FromProperty, rule.Ports, cluster, named: _ => pod)))),
            outgoing.Count == 0 ? null : Distinct(outgoing.SelectMany(policy => (policy.Spec.Egress ?? []).SelectMany(rule =>
                Rules(policy, rule.To, rule.Ports, cluster, named: peer => peer)))));
    }

    /// <summary>Whether rules let an address and port through.</summary>
    public static bool Allows(IReadOnlyList<FilterRule>? rules, IPAddress address, string protocol, int port) =>
        rules is null || rules.Any(rule => rule.Range.BaseAddress.AddressFamily == address.AddressFamily && rule.Range.Contains(address)
            && (rule.Protocol is null || rule.Protocol == protocol) && port >= rule.First && port <= rule.Last);

    /// <summary>The filter as iptables-restore reads it, for the pod's own network namespace.</summary>
    /// <param name="node">The node's address: it reaches the pods on it, and connections to Services come from it, already judged.</param>
    /// <param name="services">The addresses of Services: connections to them are judged where they are passed on.</param>
    /// <param name="dns">The address of the DNS, which is no pod.</param>
    public string Text(IPAddress node, IPNetwork services, IPAddress dns)
    {
        var text = new StringBuilder("*filter\n");
        text.Append(Line($":INPUT {(Ingress is null ? "ACCEPT" : "DROP")} [0:0]")).Append(":FORWARD ACCEPT [0:0]\n").Append(Line($":OUTPUT {(Egress is null ? "ACCEPT" : "DROP")} [0:0]"));
        text.Append("-A INPUT -i lo -j ACCEPT\n-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n");
        text.Append(Line($"-A INPUT -s {node}/32 -j ACCEPT"));
        text.Append("-A OUTPUT -o lo -j ACCEPT\n-A OUTPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT\n");
        foreach (var rule in Ingress ?? [])
        {
            text.Append(Line($"-A INPUT -s {rule}"));
        }

        foreach (var rule in Egress ?? [])
        {
            text.Append(Line($"-A OUTPUT -d {rule}"));
        }

        if (Egress is not null)
        {
            text.Append(Line($"-A OUTPUT -d {dns}/32 -j DROP")).Append(Line($"-A OUTPUT -d {services} -j ACCEPT"));
        }

        return text.Append("COMMIT\n").ToString();
    }

    private static string Line(FormattableString text) => text.ToString(CultureInfo.InvariantCulture) + "\n";

    private static List<FilterRule> Distinct(IEnumerable<FilterRule> rules) => [.. rules.Distinct().Order()];

    private static bool Limits(V1NetworkPolicy policy, string direction) => policy.Spec.PolicyTypes is { Count: > 0 } types
        ? types.Contains(direction)
        : direction == "Ingress" || policy.Spec.Egress is { Count: > 0 };

    private static IEnumerable<FilterRule> Rules(
        V1NetworkPolicy policy,
        IList<V1NetworkPolicyPeer>? peers,
        IList<V1NetworkPolicyPort>? ports,
        PolicyObjects cluster,
        Func<V1Pod?, V1Pod?> named)
    {
        // A port by name is another number on each pod.
        var byName = (ports ?? []).Any(port => port.Port is { } value && !int.TryParse(value.Value, CultureInfo.InvariantCulture, out _));
        IEnumerable<(IPNetwork Range, V1Pod? Pod)> everybody = [(IPNetwork.Parse("0.0.0.0/0"), null)];
        IEnumerable<(IPNetwork Range, V1Pod? Pod)> ends = peers is { Count: > 0 } ? peers.SelectMany(peer => Ends(policy, peer, cluster))
            : byName ? everybody.Concat(cluster.Pods.Select(peer => (Range(peer.Address), (V1Pod?)peer.Pod)))
            : everybody;
        return from end in ends
               from port in ports is { Count: > 0 } ? ports.SelectMany(port => Ports(port, named(end.Pod))) : [(null, 0, 65535)]
               select new FilterRule(end.Range, port.Protocol, port.First, port.Last);
    }

    private static IEnumerable<(IPNetwork Range, V1Pod? Pod)> Ends(V1NetworkPolicy policy, V1NetworkPolicyPeer peer, PolicyObjects cluster)
    {
        if (peer.IpBlock is { } block)
        {
            // Only IPv4: the sandbox's pods have no other addresses.
            return block.Cidr.Contains(':')
                ? []
                : AddressRange.Without(AddressRange.Parse(block.Cidr), (block.Except ?? []).Select(AddressRange.Parse)).Select(range => (range, (V1Pod?)null));
        }

        return cluster.Pods
            .Where(candidate => peer.NamespaceSelector is null
                ? candidate.Pod.Metadata.NamespaceProperty == policy.Metadata.NamespaceProperty
                : LabelSelectors.Matches(peer.NamespaceSelector, cluster.NamespaceLabels(candidate.Pod.Metadata.NamespaceProperty)))
            .Where(candidate => peer.PodSelector is null || LabelSelectors.Matches(peer.PodSelector, candidate.Pod.Metadata.Labels))
            .Select(candidate => (Range(candidate.Address), (V1Pod?)candidate.Pod));
    }

    private static IPNetwork Range(IPAddress address) => new(address, 32);

    private static IEnumerable<(string? Protocol, int First, int Last)> Ports(V1NetworkPolicyPort port, V1Pod? named)
    {
        var protocol = port.Protocol ?? "TCP";
        if (port.Port is null)
        {
            return [(protocol, 0, 65535)];
        }

        return int.TryParse(port.Port.Value, CultureInfo.InvariantCulture, out var number)
            ? [(protocol, number, port.EndPort ?? number)]
            : (named?.Spec.Containers ?? []).SelectMany(container => container.Ports ?? [])
                .Where(candidate => candidate.Name == port.Port.Value && (candidate.Protocol ?? "TCP") == protocol)
                .Select(candidate => ((string?)protocol, candidate.ContainerPort, candidate.ContainerPort));
    }
}

/// <summary>Addresses and ports that are let through.</summary>
/// <param name="Range">The addresses.</param>
/// <param name="Protocol"><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>; null for all.</param>
/// <param name="First">The first port.</param>
/// <param name="Last">The last port.</param>
internal sealed record FilterRule(IPNetwork Range, string? Protocol, int First, int Last) : IComparable<FilterRule>
{
    public int CompareTo(FilterRule? other) => string.CompareOrdinal(ToString(), other?.ToString());

    /// <summary>The part of an iptables rule after <c>-s</c> or <c>-d</c>.</summary>
    public override string ToString() => Protocol is null
        ? $"{Range} -j ACCEPT"
        : string.Create(CultureInfo.InvariantCulture, $"{Range} -p {Protocol.ToLowerInvariant()} --dport {First}:{Last} -j ACCEPT");
}

/// <summary>What NetworkPolicies may be about.</summary>
/// <param name="Policies">The policies of all namespaces.</param>
/// <param name="Pods">The pods with an address of their own.</param>
/// <param name="Namespaces">The namespaces.</param>
internal sealed record PolicyObjects(
    IReadOnlyList<V1NetworkPolicy> Policies, IReadOnlyList<(V1Pod Pod, IPAddress Address)> Pods, IReadOnlyList<V1Namespace> Namespaces)
{
    public IDictionary<string, string> NamespaceLabels(string name) => new Dictionary<string, string>(
        Namespaces.FirstOrDefault(item => item.Metadata.Name == name)?.Metadata.Labels ?? new Dictionary<string, string>())
    {
        ["kubernetes.io/metadata.name"] = name,
    };
}
