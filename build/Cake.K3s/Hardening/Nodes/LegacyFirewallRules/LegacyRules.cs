using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Firewall;

namespace Cake.K3s.Hardening.Nodes.LegacyFirewallRules;

/// <summary>Firewall rules that a Docker Swarm needed and K3s does not.</summary>
internal static class LegacyRules
{
    /// <summary>
    /// Ports of the Swarm era: management (2377), gossip (7946), overlay network (4789), IKE of its encrypted overlay (500) and the
    /// published port of a dashboard (3000).
    /// </summary>
    public static ImmutableArray<int> Ports { get; } = [500, 2377, 3000, 4789, 7946];

    /// <summary>What to delete: rules that let somebody in, from anywhere or not, to these ports or by ESP and to nothing else.</summary>
    public static RulePlan Plan(IReadOnlyCollection<UfwRule> rules) =>
        RulePlan.Of(rules, [], rule => rule.LetsIn && (rule.Protocol == "esp" || rule.Ports.IsWithin(Ports)));

    /// <summary>The rules that are about these ports and others, which somebody has to take apart.</summary>
    public static ImmutableArray<UfwRule> Mixed(IEnumerable<UfwRule> rules) =>
        [.. rules.Where(rule => rule.LetsIn && !rule.Ports.IsAny && !rule.Ports.IsWithin(Ports) && Ports.Any(rule.Ports.Contains))];
}
