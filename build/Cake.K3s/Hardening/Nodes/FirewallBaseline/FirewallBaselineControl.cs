using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.FirewallBaseline;

/// <summary>Lets in what a K3s cluster and its operators need, and nobody else, to the cluster's own ports and SSH.</summary>
[ProvedBy("test nodes with systemd, sshd and UFW", null)]
internal sealed class FirewallBaselineControl(PipelineRun run, NodeFleet fleet) : FirewallControl(run, fleet)
{
    /// <inheritdoc/>
    public override string Name => "FirewallBaseline";

    /// <inheritdoc/>
    public override string Protects => "The Kubernetes API, etcd, the kubelet, the pods' network and SSH are open to the whole internet.";

    /// <inheritdoc/>
    protected override RulePlan Plan(NodeFacts facts, UfwState state) => BaselineRules.Plan(state.Rules, AccessTo(facts));

    /// <inheritdoc/>
    protected override string Describe(RulePlan plan) =>
        $"let in nodes, pods, services and operators ({plan.Additions.Length} rules), close the same ports to others ({plan.Deletions.Length} rules), drop the rest";

    /// <inheritdoc/>
    protected override string Before(UfwState state) =>
        (state.FiltersV6 ? "" : "sed -i 's/^IPV6=.*/IPV6=yes/' /etc/default/ufw\n")
        + (state is { FiltersV6: false, Enabled: true } ? "ufw reload\n" : "");

    /// <inheritdoc/>
    protected override IEnumerable<string> CommandsAfter(UfwState state)
    {
        if (state.IncomingAllowed)
        {
            yield return "default deny incoming";
        }

        if (!state.Enabled)
        {
            yield return "--force enable";
        }
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts)
    {
        var changes = base.ChangesFor(facts);
        if (changes.Count > 0)
        {
            RequireWayBack(facts);
        }

        return changes;
    }

    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) =>
        ProveAsync(
            node,
            facts,
            closed: [2379, 2380, ClusterAccess.Kubelet],
            needed: [ClusterAccess.Api, 2379, 2380, ClusterAccess.Kubelet],
            cancellationToken);

    // The undo would bring the operator back in, but there is no need to lock anybody out for two minutes.
    private void RequireWayBack(NodeFacts facts)
    {
        var state = StateOf(facts);
        var plan = Plan(facts, state);
        var after = state with { Enabled = true, IncomingAllowed = false, Rules = plan.IsEmpty ? state.Rules : plan.Steps(state.Rules).Last() };
        var login = new Access(AddressRange.Parse(facts.OperatorAddress), "tcp", facts.SshPort, "SSH");
        if (after.LetsIn(login))
        {
            return;
        }

        throw new NodeException(
            facts.Node,
            $"{Name}: node {facts.Node} would lock out {facts.OperatorAddress}, which this run connects from",
            Settings.Operators.IsEmpty || !AccessTo(facts).Operators.Any(range => range.Covers(login.Source))
                ? $"Add it to environments.{Environment.Name}.hardening.operators, or run from an address that is there."
                : "A rule before those for operators forbids it; see: ufw status numbered",
            [.. ImmutableArray.Create(Settings.Operators.IsEmpty ? "hardening.operators is empty" : $"hardening.operators: {string.Join(", ", Settings.Operators)}")]);
    }
}
