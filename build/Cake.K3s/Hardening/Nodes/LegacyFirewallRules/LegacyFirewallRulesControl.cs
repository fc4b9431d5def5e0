using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.LegacyFirewallRules;

/// <summary>Removes the firewall rules that a Docker Swarm left.</summary>
[ProvedBy("test nodes with systemd, sshd and UFW", null)]
internal sealed class LegacyFirewallRulesControl(PipelineRun run, NodeFleet fleet) : FirewallControl(run, fleet)
{
    /// <inheritdoc/>
    public override string Name => "LegacyFirewallRules";

    /// <inheritdoc/>
    public override string Protects => "Ports that a Docker Swarm needed once stay open to whatever listens there next.";

    // Rules of a firewall that is off are deleted as well: somebody may turn it on.
    /// <inheritdoc/>
    protected override bool IsOn(UfwState state) => true;

    /// <inheritdoc/>
    protected override RulePlan Plan(NodeFacts facts, UfwState state) => LegacyRules.Plan(state.Rules);

    /// <inheritdoc/>
    protected override string Describe(RulePlan plan) => $"delete {plan.Deletions.Select(rule => rule.Text).Distinct().Count()} rules of a Docker Swarm";

    /// <inheritdoc/>
    protected override string? Obstacle(NodeFacts facts, UfwState state) =>
        LegacyRules.Mixed(state.Rules).FirstOrDefault() is { } mixed ? $"this rule is about ports of a Docker Swarm and others, take it apart by hand: {mixed}" : null;

    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) =>
        ProveAsync(node, facts, closed: LegacyRules.Ports, needed: [ClusterAccess.Api, ClusterAccess.Kubelet], cancellationToken);
}
