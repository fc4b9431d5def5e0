using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Nodes.Firewall;

namespace Cake.K3s.Hardening.Nodes.FirewallBaseline;

/// <summary>The rules that a node of a K3s cluster needs, and those that let in more than these.</summary>
internal static class BaselineRules
{
    /// <summary>The comment of the rules.</summary>
    public const string Comment = "k3s";

    /// <summary>The rules that must be there: K3s' list of inbound rules for servers, by source.</summary>
    public static IEnumerable<UfwRule> Wanted(ClusterAccess access)
    {
        foreach (var range in new[] { access.Pods, access.Services })
        {
            yield return Rule(range, "any", PortSet.Any);
        }

        foreach (var rule in access.Peers.SelectMany(peer => BetweenNodes(peer, access.Encrypted)))
        {
            yield return rule;
        }

        // Without a list of ports for each: another control closes a port of SSH by its rule.
        foreach (var (range, port) in access.Operators.SelectMany(range => access.SshPorts.Append(ClusterAccess.Api).Select(port => (range, port))))
        {
            yield return Rule(range, "tcp", Ports(port.ToString(CultureInfo.InvariantCulture)));
        }
    }

    /// <summary>What other nodes speak to a node for. VXLAN and WireGuard both while the cluster may change from one to the other.</summary>
    /// <param name="source">Where from.</param>
    /// <param name="encrypted">Whether it has changed: nobody speaks VXLAN then.</param>
    public static IEnumerable<UfwRule> BetweenNodes(AddressRange source, bool encrypted) =>
    [
        Rule(source, "tcp", Ports("2379:2380,6443,10250")),
        Rule(source, "udp", Ports(encrypted ? "51820,51821" : "8472,51820,51821")),
    ];

    /// <summary>Adds what is missing, then deletes rules that let others in to these ports.</summary>
    public static RulePlan Plan(IReadOnlyCollection<UfwRule> rules, ClusterAccess access)
    {
        ImmutableArray<int> ports = [.. access.SshPorts, 2379, 2380, ClusterAccess.Api, ClusterAccess.Kubelet, ClusterAccess.Vxlan, .. ClusterAccess.WireGuard];
        var trusted = access.Trusted.ToList();
        return RulePlan.Of(
            rules,
            [.. Wanted(access)],
            rule => rule.LetsIn && rule.Ports.IsWithin(ports) && (rule.Comment == Comment || !trusted.Exists(range => range.Covers(rule.Source))));
    }

    private static PortSet Ports(string text) => PortSet.Parse(text)!;

    /// <summary>A rule that lets a source in.</summary>
    public static UfwRule Rule(AddressRange source, string protocol, PortSet ports) => new()
    {
        Action = "allow",
        Source = source,
        Destination = source.IsV6 ? AddressRange.AnyV6 : AddressRange.AnyV4,
        Protocol = protocol,
        Ports = ports,
        Comment = Comment,
    };
}
