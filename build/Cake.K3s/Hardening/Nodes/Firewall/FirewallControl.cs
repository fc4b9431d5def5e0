using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>A control of UFW's rules: which are missing and which are too many is what is particular to one.</summary>
internal abstract class FirewallControl(PipelineRun run, NodeFleet fleet) : NodeControl(run, fleet)
{
    /// <inheritdoc/>
    public override ImmutableArray<string> SharedScripts => [UfwScripts.SharedScript, Listener.SharedScript];

    /// <inheritdoc/>
    public override string FactScript => $"{UfwScripts.Facts}\n{K3sServer.PodNetworkFacts}";

    /// <inheritdoc/>
    protected override string Restore => UfwScripts.Reload;

    /// <summary>What is left to do about the rules; empty where they are right.</summary>
    protected abstract RulePlan Plan(NodeFacts facts, UfwState state);

    /// <summary>What the change does, in one line.</summary>
    protected abstract string Describe(RulePlan plan);

    /// <summary>What is wrong beside the rules, and who has to put it right; null where nothing is.</summary>
    protected virtual string? Obstacle(NodeFacts facts, UfwState state) => null;

    /// <summary>Whether UFW itself is as the control needs it.</summary>
    protected virtual bool IsOn(UfwState state) => state is { Enabled: true, IncomingAllowed: false, FiltersV6: true };

    /// <summary>Commands to UFW after those of the rules.</summary>
    protected virtual IEnumerable<string> CommandsAfter(UfwState state) => [];

    /// <summary>POSIX shell before the rules are changed.</summary>
    protected virtual string Before(UfwState state) => "";

    /// <summary>Connections that must not get lost on the way.</summary>
    protected virtual IEnumerable<Access> Needed(NodeFacts facts) => AccessTo(facts).Needed();

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        if (!IsInstalled(facts))
        {
            return new NodeVerdict(ControlState.Missing, "UFW is not installed");
        }

        var state = StateOf(facts);
        var plan = Plan(facts, state);
        var left = facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing;
        return (Obstacle(facts, state), IsOn(state), plan.IsEmpty, IsLoaded(facts, state)) switch
        {
            ({ } obstacle, _, _, _) => new NodeVerdict(left, obstacle),
            (_, false, _, _) => new NodeVerdict(left, WhatIsOff(state), [.. plan.Commands]),
            (_, _, false, _) => new NodeVerdict(left, Describe(plan), [.. plan.Commands]),
            (_, _, _, false) => new NodeVerdict(ControlState.Drifted, "UFW is on, and the kernel has none of its rules", ["ufw reload"]),
            _ => new NodeVerdict(ControlState.InPlace, "rules are as they should be", [.. state.Rules.Select(rule => rule.ToString()).Distinct()]),
        };
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts)
    {
        if (!IsInstalled(facts))
        {
            throw new NodeException(facts.Node, $"{Name}: node {facts.Node} has no UFW", "Install it: apt-get install ufw");
        }

        var state = StateOf(facts);
        if (Obstacle(facts, state) is { } obstacle)
        {
            throw new NodeException(facts.Node, $"{Name}: node {facts.Node}: {obstacle}");
        }

        var plan = Plan(facts, state);
        if (plan.IsEmpty && IsOn(state))
        {
            return IsLoaded(facts, state) ? [] : [Change("load the rules", "ufw reload", "")];
        }

        var lost = plan.Losses(state, Needed(facts));
        if (!lost.IsEmpty)
        {
            throw new NodeException(
                facts.Node,
                $"{Name}: node {facts.Node} would lose {lost[0]}",
                "Apply FirewallBaseline first: it lets in what the cluster needs.",
                [.. lost.Select(access => access.ToString())]);
        }

        return
        [
            Change(
                Describe(plan),
                string.Join('\n', Before(state), UfwScripts.Run([.. plan.Commands, .. CommandsAfter(state)])),
                UfwScripts.Run(plan.InverseCommands)),
        ];
    }

    /// <summary>Who may connect to a node.</summary>
    /// <exception cref="K3sException">deploy.yaml does not tell (exit code 2).</exception>
    protected ClusterAccess AccessTo(NodeFacts facts)
    {
        // Where sshd listens now, and where it is going to.
        var ports = facts.Values(Name, "listens")
            .Select(port => int.Parse(port, CultureInfo.InvariantCulture))
            .Where(port => port == facts.SshPort || port == 22)
            .Append(facts.SshPort)
            .Concat(Settings.SshPort is { } moved ? [moved] : []);
        return new ClusterAccess(
            [.. Environment.Nodes.Where(node => node.Name != facts.Node).SelectMany(node => AddressesOf(node))],
            Range(Settings.PodRange, "podRange"),
            Range(Settings.ServiceRange, "serviceRange"),
            [.. Settings.Operators.Select(text => Range(text, "operators"))],
            [.. ports.Distinct().Order()])
        {
            PrivateRange = Settings.PrivateNetwork is { } network ? [Range(network.Range, "privateNetwork.range")] : [],
            Encrypted = facts.Value(Name, "encrypted") == "yes",
        };
    }

    private ImmutableArray<AddressRange> AddressesOf(NodeSettings node) => node.Addresses.IsEmpty
        ? AddressRange.TryParse(node.Host, out var host)
            ? [host]
            : throw new K3sException(
                ExitCodes.BadInput,
                $"node {node.Name}: the other nodes' firewalls need its addresses, and host '{node.Host}' is a name",
                $"Set environments.{Environment.Name}.nodes[].addresses to what the other nodes see it by.")
        : [.. node.Addresses.Select(text => Range(text, "addresses"))];

    private AddressRange Range(string text, string key) => AddressRange.TryParse(text, out var range)
        ? range
        : throw new K3sException(ExitCodes.BadInput, $"environment {Environment.Name}: {key} has '{text}', which is no address and no range", "e.g. 198.51.100.7 or 10.42.0.0/16");

    private NodeChange Change(string description, string apply, string inverse) => new(Name, description)
    {
        Touches = UfwScripts.Files,
        Apply = apply,
        Restore = Restore,
        Inverse = inverse,
    };

    /// <summary>
    /// Tries ports from this machine, which must not answer where no rule lets it in, and from the node to the other nodes, which must.
    /// </summary>
    protected async Task<NodeVerdict> ProveAsync(
        Node node,
        NodeFacts facts,
        IReadOnlyCollection<int> closed,
        IReadOnlyCollection<int> needed,
        CancellationToken cancellationToken)
    {
        if (await PortProbe.TryAsync(facts.Address, facts.SshPort, cancellationToken) != PortAnswer.Open)
        {
            return new NodeVerdict(ControlState.Unknown, $"{facts.Address} cannot be tried from here: SSH gets there another way");
        }

        var state = StateOf(facts);
        var here = AddressRange.Parse(facts.OperatorAddress);
        var tried = closed.Where(port => !state.LetsIn(new Access(here, "tcp", port, ""))).ToList();
        var answering = PortProbe.AnsweringAsync(facts.Address, tried, cancellationToken);
        var silent = needed.Count == 0 ? Task.FromResult("") : node.RunAsync("try the other nodes' ports", TryOthers(facts, needed), cancellationToken);
        await Task.WhenAll(answering, silent);
        return (await answering, await silent) switch
        {
            ([var open, ..], _) => new NodeVerdict(ControlState.Drifted, $"port {open} answers {facts.OperatorAddress}, which no rule lets in"),
            (_, { Length: > 0 } lines) => new NodeVerdict(ControlState.Drifted, $"{lines.Split('\n')[0]} does not answer {facts.Node}"),
            _ => new NodeVerdict(ControlState.InPlace, Proved(facts, tried, needed)),
        };
    }

    // Prints what does not answer. A port at which nothing listens does, with a refusal.
    private string TryOthers(NodeFacts facts, IReadOnlyCollection<int> ports) => string.Join('\n',
    [
        .. AccessTo(facts).Nodes.SelectMany(node => ports.Select(port =>
            $"( timeout 3 bash -c ': </dev/tcp/{node}/{port}' 2>/dev/null; [ $? != 124 ] || echo '{node} port {port}' ) &")),
        "wait",
    ]);

    private static string Proved(NodeFacts facts, List<int> tried, IReadOnlyCollection<int> needed) => (tried.Count, needed.Count) switch
    {
        (0, _) => $"{facts.OperatorAddress} is let in everywhere, so nothing can be tried from here",
        (_, 0) => $"{string.Join(", ", tried)} do not answer {facts.OperatorAddress}",
        _ => $"{string.Join(", ", tried)} do not answer {facts.OperatorAddress}; the other nodes answer at {string.Join(", ", needed)}",
    };

    private bool IsInstalled(NodeFacts facts) => facts.Value(Name, "installed") == "yes";

    /// <summary>How UFW is set on a node.</summary>
    protected UfwState StateOf(NodeFacts facts)
    {
        try
        {
            return UfwState.Parse(facts.Of(Name));
        }
        catch (FormatException unknown)
        {
            throw new NodeException(facts.Node, $"{Name}: node {facts.Node}: {unknown.Message}", "Delete that rule, or report it.", innerException: unknown);
        }
    }

    private bool IsLoaded(NodeFacts facts, UfwState state) =>
        !state.Enabled || state.Rules.IsEmpty || facts.Value(Name, "loaded") is not ("" or "0");

    private static string WhatIsOff(UfwState state) =>
        !state.Enabled ? "UFW is off" : state.IncomingAllowed ? "UFW lets in what no rule forbids" : "UFW leaves IPv6 alone (IPV6=no in /etc/default/ufw)";
}
