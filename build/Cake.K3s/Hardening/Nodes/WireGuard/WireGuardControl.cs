using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.WireGuard;

/// <summary>
/// Encrypts what pods of different nodes say to each other: flannel over WireGuard instead of VXLAN, on all servers. The two do not
/// understand each other, so all servers change together, or none: each one's undo stays armed until pods' traffic is seen to flow
/// between all of them.
/// </summary>
[ProvedBy("test nodes with systemd, sshd and UFW: devices, keys, handshakes and transfers", "K3s: a stand-in for its commands and restarts; wireguard-go for the kernel's WireGuard")]
internal sealed class WireGuardControl(PipelineRun run, NodeFleet fleet) : FirewallControl(run, fleet)
{
    private const string SettingsFile = K3sServer.Settings + "/90-cake-k3s-wireguard.yaml";
    private const string SettingsContent = "# Made by Cake.K3s: the same on all servers.\nflannel-backend: wireguard-native\n";
    private const string Encrypted = "flannel-wg";
    private const string Plain = "flannel.1";

    private readonly NodeFleet _fleet = fleet;
    private readonly ClusterHealth _cluster = new(fleet);

    /// <inheritdoc/>
    public override string Name => "WireGuard";

    /// <inheritdoc/>
    public override string Protects => "Whoever sees the network between the nodes reads what pods say to each other, and can speak in their name.";

    /// <inheritdoc/>
    public override string FactScript => $"""
        {base.FactScript}
        for device in {Plain} {Encrypted}; do [ -e /sys/class/net/$device ] && echo device=$device; done
        [ -e {SettingsFile} ] && echo set=yes
        [ -e /sys/module/wireguard ] || modprobe -n -q wireguard && echo kernel=yes
        """;

    // K3s leaves the other backend's device, whose routes keep pods' traffic on it (rke2 9338). Without the device there are none.
    /// <inheritdoc/>
    protected override string Restore => $"{UfwScripts.Reload}\n{Leave}\n{K3sServer.RestartInUndo}";

    private const string Leave = $"""
        if [ -e {SettingsFile} ]; then stale={Plain}; else stale={Encrypted}; fi
        systemctl stop k3s
        ip link delete $stale 2>/dev/null || :
        """;

    private static string Switch => $"{Leave}\n{K3sServer.Restart}";

    /// <inheritdoc/>
    protected override RulePlan Plan(NodeFacts facts, UfwState state) => MeshRules.Close(state, AccessTo(facts));

    /// <inheritdoc/>
    protected override string Describe(RulePlan plan) => $"close VXLAN's port {ClusterAccess.Vxlan}";

    /// <inheritdoc/>
    protected override bool IsOn(UfwState state) => true;

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        if (!Settings.WireGuard)
        {
            return new NodeVerdict(ControlState.NotApplicable, "hardening.wireGuard of the environment is not set in deploy.yaml");
        }

        if (facts.K3s != K3sRole.Server)
        {
            return new NodeVerdict(ControlState.NotApplicable, "the node is no server of K3s");
        }

        var left = facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing;
        return IsSwitched(facts)
            ? CloseOf(facts) is null
                ? new NodeVerdict(ControlState.InPlace, "pods' traffic between nodes goes over WireGuard")
                : new NodeVerdict(left, $"VXLAN's port {ClusterAccess.Vxlan} is open, and nothing uses it any more")
            : new NodeVerdict(left, facts.Value(Name, "set") == "yes" ? "set, and what there is of flannel is not WireGuard's alone" : "pods' traffic between nodes is readable on the way", [.. facts.Values(Name, "device")]);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts) =>
        !Settings.WireGuard || facts.K3s != K3sRole.Server ? []
        : !IsSwitched(facts) ? [SwitchOf(facts)]
        : CloseOf(facts) is { } close ? [close]
        : [];

    /// <inheritdoc/>
    public override async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        var done = ImmutableArray.CreateBuilder<PlannedChange>();
        if (!Settings.WireGuard)
        {
            return [];
        }

        var servers = await ServersAsync(cancellationToken);
        var left = servers.Where(server => !IsSwitched(server.Facts)).Select(server => new NodePart(server.Node, SwitchOf(server.Facts))).ToImmutableArray();
        if (!left.IsEmpty)
        {
            await RequireAllKnownAsync(servers, cancellationToken);
            await servers[0].Node.RunAsync("take a snapshot of etcd", "k3s etcd-snapshot save --name cake-k3s-before-wireguard >/dev/null", cancellationToken);
            await MakeAsync(left, Encrypted, isUndo: false, cancellationToken);
            done.AddRange(left.Select(part => new PlannedChange(part.Node.Name, part.Change.Description)));
        }

        // Nobody uses the old port any more: each node by itself.
        foreach (var (node, _) in servers)
        {
            if (CloseOf(await node.FactsAsync(cancellationToken)) is { } close)
            {
                await new NodeTransaction(node, Settings.UndoAfter.Value).ApplyAsync(close, cancellationToken);
                done.Add(new PlannedChange(node.Name, close.Description));
            }
        }

        return done.ToImmutable();
    }

    /// <inheritdoc/>
    public override async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        var findings = await base.VerifyAsync(cancellationToken);
        if (!findings.Any(finding => finding.State == ControlState.InPlace) || !findings.All(finding => finding.State.IsFine()))
        {
            return findings;
        }

        var nodes = (await ServersAsync(cancellationToken)).Select(server => server.Node).ToList();
        try
        {
            var seen = await new MeshTransfer(Encrypted).ProveAsync(nodes, cancellationToken);
            return [.. findings.Select(finding => finding.State == ControlState.InPlace ? finding with { Evidence = [.. finding.Evidence, .. seen] } : finding)];
        }
        catch (NodeException failure)
        {
            return [new Finding(Name, failure.Node, ControlState.Drifted, failure.Summary, [.. failure.Details])];
        }
    }

    /// <inheritdoc/>
    protected override async Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken)
    {
        var peers = (await _cluster.ServersAsync(cancellationToken)).Count - 1;
        var result = await node.TryRunAsync($"(\n{HandshakesWith(peers)}\n) || exit 1", cancellationToken);
        return result.ExitCode == 0
            ? new NodeVerdict(ControlState.InPlace, "the pods' network reaches every other node over WireGuard, and nothing is left of VXLAN", [result.Output.TrimEnd()])
            : new NodeVerdict(ControlState.Drifted, result.Errors.TrimEnd());
    }

    /// <inheritdoc/>
    public override async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var parts = ImmutableArray.CreateBuilder<NodePart>();
        foreach (var (node, facts) in await ServersAsync(cancellationToken))
        {
            if (facts.Applied.Contains(Name))
            {
                parts.Add(new NodePart(node, await UndoOfAsync(node, facts, cancellationToken)));
            }
        }

        if (parts.Count > 0)
        {
            await MakeAsync(parts.ToImmutable(), Plain, isUndo: true, cancellationToken);
        }

        return [.. parts.Select(part => new PlannedChange(part.Node.Name, part.Change.Description))];
    }

    // All servers are proved, not only those that were left to change.
    private Task MakeAsync(ImmutableArray<NodePart> parts, string device, bool isUndo, CancellationToken cancellationToken) =>
        new CoordinatedChange(Settings.UndoAfter.Value).MakeAsync(
            parts,
            _cluster.RequireWithoutAsync,
            (node, cancellation) => _cluster.UntilWholeAsync(node, Settings.UndoAfter.Value, cancellation),
            cancellation => ProveMeshAsync(device, cancellation),
            isUndo,
            cancellationToken);

    private async Task ProveMeshAsync(string device, CancellationToken cancellationToken)
    {
        var nodes = await _cluster.ServersAsync(cancellationToken);
        await new MeshTransfer(device).ProveAsync(nodes, cancellationToken);
        if (device == Encrypted)
        {
            await Task.WhenAll(nodes.Select(node => node.RunAsync("see WireGuard's handshakes", HandshakesWith(nodes.Count - 1), cancellationToken)));
        }
    }

    // wg is no part of K3s: where it is not installed, what WireGuard's device counted is the proof, since nothing passes it without a handshake.
    private static string HandshakesWith(int peers) => $$"""
        [ ! -e /sys/class/net/{{Plain}} ] || { echo 'there is a {{Plain}} still, and pods may go over it' >&2; exit 1; }
        command -v wg >/dev/null || { echo 'wireguard-tools are not installed: handshakes are not shown'; exit 0; }
        count=$(wg show {{Encrypted}} latest-handshakes | awk '$2 > 0 { n++ } END { print n + 0 }')
        [ "$count" -ge {{peers}} ] || { echo "only $count of {{peers}} nodes have shaken hands" >&2; exit 1; }
        echo "$(hostname): handshakes with $count other nodes"
        """;

    private NodeChange SwitchOf(NodeFacts facts)
    {
        if (facts.Value(Name, "kernel") != "yes")
        {
            throw new NodeException(facts.Node, $"{Name}: the kernel of node {facts.Node} has no WireGuard", "Install a kernel of Debian or Ubuntu, 5.6 or newer; modprobe wireguard must work.");
        }

        var state = StateOf(facts);
        var access = AccessTo(facts);
        if (state.Enabled && !state.LetsIn(new Access(access.Pods, "tcp", 65535, "")))
        {
            throw new NodeException(facts.Node, $"{Name}: the firewall of node {facts.Node} does not let pods in, so their network cannot be proved", "Apply FirewallBaseline first.");
        }

        var open = MeshRules.Open(state, access);
        return new NodeChange(Name, "open WireGuard's ports between nodes, let flannel use it, restart k3s")
        {
            Files = [new NodeFile(SettingsFile, SettingsContent, "600")],
            Touches = open.IsEmpty ? [] : UfwScripts.Files,
            Apply = open.IsEmpty ? Switch : $"{UfwScripts.Run(open.Commands)}\n{Switch}",
            Restore = Restore,
            Inverse = InverseOf(open),
        };
    }

    private NodeChange? CloseOf(NodeFacts facts)
    {
        var plan = Plan(facts, StateOf(facts));
        return plan.IsEmpty ? null : new NodeChange(Name, Describe(plan))
        {
            Touches = UfwScripts.Files,
            Apply = UfwScripts.Run(plan.Commands),
            Restore = UfwScripts.Reload,
            Inverse = InverseOf(plan),
        };
    }

    private static string InverseOf(RulePlan plan) => plan.IsEmpty ? "" : UfwScripts.Run(plan.InverseCommands);

    private bool IsSwitched(NodeFacts facts) => facts.Value(Name, "set") == "yes" && facts.Values(Name, "device").SequenceEqual([Encrypted]);

    // What an earlier run left armed is taken back first: the servers must be looked at as they will be.
    private async Task<IReadOnlyList<(Node Node, NodeFacts Facts)>> ServersAsync(CancellationToken cancellationToken)
    {
        if (_fleet.Nodes.Length < _fleet.All.Length)
        {
            throw new K3sException(ExitCodes.BadInput, $"{Name} is done on all servers together, and --nodes names some", "Leave --nodes out.");
        }

        var servers = new List<(Node, NodeFacts)>();
        foreach (var node in _fleet.Nodes)
        {
            var facts = await CleanAsync(node, cancellationToken);
            if (facts.K3s == K3sRole.Server)
            {
                servers.Add((node, facts));
            }
        }

        return servers;
    }

    // A node that stays behind has no pods' network with the others any more.
    private async Task RequireAllKnownAsync(IReadOnlyList<(Node Node, NodeFacts Facts)> servers, CancellationToken cancellationToken)
    {
        var reading = ClusterReading.Parse(await servers[0].Node.RunAsync("list the cluster's nodes", $"{ClusterReading.Script}\nexit 0", cancellationToken));
        if (reading.Nodes.Keys.Except(servers.Select(server => server.Node.Name)).FirstOrDefault() is { } other)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{Name}: the cluster has a node {other} that is no server of deploy.yaml's nodes, and would be cut off from the others' pods",
                $"Add it to environments.{Environment.Name}.nodes under its name in Kubernetes; agents are not supported by this control.");
        }
    }
}
