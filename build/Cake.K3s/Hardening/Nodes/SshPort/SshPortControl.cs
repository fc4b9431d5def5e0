using System.Collections.Immutable;
using System.Globalization;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Nodes.Sshd;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.SshPort;

/// <summary>
/// Moves SSH to a port of its own: both ports are open first, a login on the new one is proved, the old one is closed last. sshd may run
/// by itself or be started by a socket.
/// </summary>
[ProvedBy("test nodes with systemd, sshd and UFW", "Ubuntu's generator of ssh.socket's ports")]
internal sealed class SshPortControl(PipelineRun run, NodeFleet fleet, OperatorFiles operatorFiles) : NodeControl(run, fleet)
{
    private const string DropIn = SshdConfig.DropIns + "/00-cake-k3s-port.conf";
    private const string SocketDropIn = "/etc/systemd/system/ssh.socket.d/cake-k3s-port.conf";
    private const string BeforeMark = "# Before: ";
    private const string Comment = "cake-k3s SshPort";

    private static readonly ImmutableArray<string> UfwRules = ["/etc/ufw/user.rules", "/etc/ufw/user6.rules"];

    /// <inheritdoc/>
    public override string Name => "SshPort";

    /// <inheritdoc/>
    public override string Protects => "Robots that try port 22 of every address do not find SSH.";

    /// <inheritdoc/>
    public override ImmutableArray<string> SharedScripts => [SshdConfig.SharedScript, Listener.SharedScript];

    /// <inheritdoc/>
    public override string FactScript => $$"""
        {{SshdConfig.FactScript}}
        grep -HiE '^[[:space:]]*(Port|ListenAddress)[[:space:]=]' /etc/ssh/sshd_config /etc/ssh/sshd_config.d/*.conf | sed 's/^/line=/'
        sed -n 's/^{{BeforeMark}}/before=/p' {{DropIn}}
        systemctl -q is-active ssh.socket && systemctl show --property=Listen --value ssh.socket | sed 's/^/socket=/'
        ls /usr/lib/systemd/system-generators/sshd-socket-generator /lib/systemd/system-generators/sshd-socket-generator | sed 's/^/generator=/'
        printf '%s\n' "$listeners" | sed 's/^/listen=/'
        cat /etc/ufw/ufw.conf /etc/default/ufw {{string.Join(' ', UfwRules)}} | sed 's/^/ufw=/'
        """;

    /// <inheritdoc/>
    protected override bool OthersFollowTheFirst => true;

    /// <inheritdoc/>
    protected override string Restore => SshdConfig.Reload + """

        if [ -e /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then ufw reload >/dev/null; fi
        """;

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        if (Settings.SshPort is not { } wanted)
        {
            return new NodeVerdict(ControlState.NotApplicable, "hardening.sshPort is not set");
        }

        var ports = PortsOf(facts);
        var listening = ListenersOf(facts).Where(listener => IsSsh(listener, facts)).Select(listener => listener.Port).Distinct().Order().ToList();
        return ports.All(port => port == wanted) && listening.SequenceEqual([wanted])
            ? new NodeVerdict(ControlState.InPlace, $"SSH listens on port {wanted} alone")
            : new NodeVerdict(
                facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing,
                $"SSH listens on {string.Join(", ", listening)}, expected {wanted} alone",
                [$"sshd is told: {string.Join(", ", ports)}"]);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts)
    {
        if (Settings.SshPort is not { } wanted || Judge(facts).State == ControlState.InPlace)
        {
            return [];
        }

        Check(facts, wanted);
        var old = PortsOf(facts).Append(facts.SshPort).Where(port => port != wanted).Distinct().Order().ToImmutableArray();
        var before = facts.Value(Name, "before") is { Length: > 0 } known ? known : string.Join(' ', old);
        var firewall = FirewallFor(facts, old, wanted);
        var elsewhere = LinesOf(facts).Where(line => line.File != DropIn && line.Keyword.Equals("Port", StringComparison.OrdinalIgnoreCase)).ToList();
        var beside = old.Where(port => elsewhere.All(line => line.Value != Text(port)));
        var others = elsewhere.Select(line => line.File).Distinct().ToImmutableArray();
        return
        [
            Step($"open port {wanted} beside {string.Join(", ", old)}", facts, before, [.. beside, wanted], [.. old, wanted]) with
            {
                Apply = Script([ReadDropIns(facts), firewall.Open, SshdConfig.Reload, Await(wanted, facts.SshPort)]),
                Inverse = firewall.UndoOpen,
                LoginPorts = [wanted],
            },
            Step($"close port {string.Join(", ", old)}, where no login is made any more", facts, before, [wanted], [wanted]) with
            {
                Touches = [SshdConfig.File, .. UfwRules, .. others],
                Apply = Script([.. others.Select(Silence), SshdConfig.Reload, .. old.Select(AwaitClosed), firewall.Close]),
                Inverse = firewall.UndoClose,
                LoginPorts = [wanted],
            },
        ];
    }

    /// <inheritdoc/>
    protected override NodeChange UndoPorts(NodeFacts facts, NodeChange undo) => undo with
    {
        LoginPorts = [.. PortsBefore(facts)],
    };

    /// <inheritdoc/>
    protected override void OnApplied(Node node)
    {
        if (Settings.SshPort is { } port)
        {
            operatorFiles.Use(node, port);
        }
    }

    /// <inheritdoc/>
    protected override void OnUndone(Node node) => operatorFiles.Forget(node);

    /// <inheritdoc/>
    protected override async Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken)
    {
        // The connection that told the facts was made by a login as well.
        if (facts.SshPort != Settings.SshPort)
        {
            await node.ProveLoginAsync(Settings.SshPort, cancellationToken);
        }

        var isDirect = await PortProbe.TryAsync(facts.Address, facts.SshPort, cancellationToken) == PortAnswer.Open;
        var tried = await Task.WhenAll(PortsBefore(facts).Select(async port => (Port: port, Open: await OpenAsync(port))));
        return tried.FirstOrDefault(answer => answer.Open) is (var open and not 0, _)
            ? new NodeVerdict(ControlState.Drifted, $"port {open} still answers")
            : new NodeVerdict(ControlState.InPlace, $"a login on port {Settings.SshPort} works, the old port answers no more");

        // Where SSH goes by another host, that host has to try.
        async Task<bool> OpenAsync(int port) => isDirect
            ? await PortProbe.TryAsync(facts.Address, port, cancellationToken) == PortAnswer.Open
            : await node.TryLoginAsync([$"Port={port}", "ConnectTimeout=3"], cancellationToken) is var answer
                && (answer.Length == 0 || answer.Contains("Permission denied", StringComparison.Ordinal));
    }

    private void Check(NodeFacts facts, int wanted)
    {
        if (ListenersOf(facts).FirstOrDefault(listener => listener.Port == wanted && !IsSsh(listener, facts)) is { } taken)
        {
            throw new NodeException(
                facts.Node,
                $"node {facts.Node}: SSH cannot move to port {wanted}, which {taken.Program} has",
                "Set hardening.sshPort to a free port.",
                [taken.Line]);
        }

        if (LinesOf(facts).FirstOrDefault(line => line.NamesAddressWithPort) is { } fixedAddress)
        {
            throw new NodeException(
                facts.Node,
                $"node {facts.Node}: {fixedAddress.File} ties SSH to a port by its address: {fixedAddress.Keyword} {fixedAddress.Value}",
                "Leave the port out of ListenAddress.");
        }
    }

    private NodeChange Step(string description, NodeFacts facts, string before, ImmutableArray<int> ports, ImmutableArray<int> socketPorts)
    {
        var file = new NodeFile(DropIn, $"# Written by Cake.K3s (SshPort); --target=Undo-SshPort takes it back.\n{BeforeMark}{before}\n{string.Concat(ports.Select(port => $"Port {port}\n"))}", "600");

        // Ubuntu's generator makes the socket's addresses from sshd_config; without it the socket has its own. Each family is named: a bare
        // port has become an IPv6 one before (hetzner-k3s#624).
        var socket = facts.Value(Name, "socket").Length > 0 && facts.Value(Name, "generator").Length == 0;
        var addresses = socketPorts.SelectMany(port => new[] { $"0.0.0.0:{port}", $"[::]:{port}" });
        return new NodeChange(Name, description)
        {
            Files = socket
                ? [file, new NodeFile(SocketDropIn, $"[Socket]\nListenStream=\n{string.Concat(addresses.Select(address => $"ListenStream={address}\n"))}BindIPv6Only=ipv6-only\n")]
                : [file],
            Touches = [SshdConfig.File, .. UfwRules],
            Restore = Restore,
        };
    }

    private string ReadDropIns(NodeFacts facts) => facts.Value(Name, "dropins") == "yes" ? "" : SshdConfig.ReadDropIns;

    // What lets somebody in to an old port lets them in to the new one; whoever is connected now must be among them.
    private (string Open, string UndoOpen, string Close, string UndoClose) FirewallFor(
        NodeFacts facts,
        ImmutableArray<int> old,
        int wanted)
    {
        var state = UfwState.Parse(string.Join('\n', facts.Values(Name, "ufw")));
        if (!state.Enabled)
        {
            return ("", "", "", "");
        }

        var ofOld = state.Rules.Where(rule => rule.LetsIn && rule.Protocol is "tcp" or "any" && old.Any(port => rule.Ports.Text == Text(port))).ToList();
        var ofNew = ofOld
            .Select(rule => rule with { Ports = PortSet.Parse(Text(wanted))!, Protocol = "tcp", Application = null, SourceApplication = null, Comment = null })
            .Select(rule => rule.Text)
            .Distinct()
            .Where(text => state.Rules.All(rule => rule.Text != text))
            .ToList();
        var from = AddressRange.Parse(facts.OperatorAddress);
        if (ofNew.Count == 0 && !state.LetsIn(new Access(from, "tcp", wanted, "SSH")))
        {
            ofNew.Add($"allow proto tcp from {from} to any port {wanted}");
        }

        var texts = ofOld.DistinctBy(rule => rule.Text).ToList();
        return (
            Ufw(ofNew.Select(text => $"{text} comment '{Comment}'")),
            Ufw(ofNew.Select(text => $"delete {text}")),
            Ufw(texts.Select(rule => $"delete {rule.Text}")),
            Ufw(texts.Select(rule => rule.Text + (rule.Comment is { } comment ? $" comment {ShellText.Quote(comment)}" : ""))));
    }

    // systemd itself listens for a server that is started by a socket.
    private bool IsSsh(Listener listener, NodeFacts facts) =>
        listener.Program == "sshd" || facts.Values(Name, "socket").Any(address => address.Contains($":{listener.Port} ", StringComparison.Ordinal));

    private IEnumerable<int> PortsBefore(NodeFacts facts) =>
        facts.Value(Name, "before").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(port => int.Parse(port, CultureInfo.InvariantCulture));

    private ImmutableArray<int> PortsOf(NodeFacts facts) => SshdConfig.Parse(facts.Values(Name, "sshd")).Ports;

    private IEnumerable<Listener> ListenersOf(NodeFacts facts) => facts.Values(Name, "listen").Select(Listener.Parse).OfType<Listener>();

    private IEnumerable<ConfigLine> LinesOf(NodeFacts facts) => facts.Values(Name, "line").Select(ConfigLine.Parse).OfType<ConfigLine>();

    private static string Silence(string file) => $@"sed -i -E 's/^([[:space:]]*[Pp][Oo][Rr][Tt][[:space:]=])/# Moved by Cake.K3s: \1/' {ShellText.Quote(file)}";

    // At as many addresses as the old port: 0.0.0.0 and [::] where both families are in use.
    private static string Await(int port, int old) => $$"""
        tries=50
        until [ "$(ss -Hltn 'sport = :{{port}}' | wc -l)" -ge "$(ss -Hltn 'sport = :{{old}}' | wc -l)" ]; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { echo 'sshd does not listen on port {{port}}' >&2; exit 1; }
            sleep 0.1
        done
        """;

    private static string AwaitClosed(int port) => $$"""
        tries=50
        while ss -Hltn 'sport = :{{port}}' | grep -q .; do
            tries=$((tries - 1))
            [ $tries -gt 0 ] || { echo 'sshd still listens on port {{port}}' >&2; exit 1; }
            sleep 0.1
        done
        """;

    private static string Ufw(IEnumerable<string> commands) => commands.ToList() is { Count: > 0 } any ? UfwScripts.Run(any) : "";

    private static string Script(IEnumerable<string> lines) => string.Join('\n', lines.Where(line => line.Length > 0));

    private static string Text(int port) => port.ToString(CultureInfo.InvariantCulture);
}
