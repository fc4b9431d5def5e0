using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;

namespace Cake.K3s.Hardening.Nodes.WireGuard;

/// <summary>The firewall's rules around a change from VXLAN to WireGuard: the new ports are opened before, the old one is closed after.</summary>
internal static class MeshRules
{
    private static readonly ImmutableArray<int> Ports = [ClusterAccess.Vxlan, .. ClusterAccess.WireGuard];
    private static readonly PortSet Encrypted = PortSet.Parse(string.Join(',', ClusterAccess.WireGuard.Select(port => port.ToString(CultureInfo.InvariantCulture))))!;

    /// <summary>Lets the other nodes in to WireGuard's ports.</summary>
    public static RulePlan Open(UfwState state, ClusterAccess access) =>
        state.Enabled ? RulePlan.Of(state.Rules, [.. Wanted(access)], _ => false) : Nothing;

    /// <summary>Lets nobody in to VXLAN's port any more, as far as rules are about the pods' network alone.</summary>
    public static RulePlan Close(UfwState state, ClusterAccess access) =>
        state.Enabled ? RulePlan.Of(state.Rules, [.. Wanted(access)], rule => rule.LetsIn && rule.Ports.Contains(ClusterAccess.Vxlan) && rule.Ports.IsWithin(Ports)) : Nothing;

    private static RulePlan Nothing => new([], []);

    private static IEnumerable<UfwRule> Wanted(ClusterAccess access) =>
        access.Peers.Select(node => BaselineRules.Rule(node, "udp", Encrypted));
}
