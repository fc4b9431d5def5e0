using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using Cake.K3s.Edge.Hetzner;
using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Nodes.FirewallBaseline;
using Cake.K3s.Hardening.Nodes.K3s;
using Cake.K3s.Hardening.Nodes.WireGuard;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Changes;
using Cake.K3s.Nodes.Facts;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Nodes.PrivateNetwork;

/// <summary>
/// Pods of different nodes reach each other over a private network of Hetzner's instead of the internet. Only flannel moves: the addresses
/// of etcd's members and of the nodes stay, since changing them takes each server out of the cluster (k3s 6524, 5880).
/// </summary>
/// <param name="run">The run.</param>
/// <param name="fleet">The nodes.</param>
/// <param name="open">Opens Hetzner's API; asked only when something is planned, applied or undone.</param>
/// <param name="time">The time.</param>
[ProvedBy("test nodes with systemd, sshd and UFW: device, rules and traffic", "Hetzner's API; K3s: a stand-in for its commands and restarts")]
internal sealed class PrivateNetworkControl(PipelineRun run, NodeFleet fleet, Func<PrivateNetworkSettings, CancellationToken, Task<HetznerClient>> open, TimeProvider time) : FirewallControl(run, fleet)
{
    private const string SettingsFile = K3sServer.Settings + "/90-cake-k3s-private-network.yaml";
    private const string UnitFile = "/etc/systemd/system/k3s.service.d/90-cake-k3s-private-network.conf";
    private const string Maker = "cake-k3s";

    // Of Hetzner's private networks.
    private const int PacketSize = 1450;

    // A node's flannel learns another one's new address from the API, a moment after that node is back.
    private static readonly TimeSpan PeersLimit = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly NodeFleet _fleet = fleet;
    private readonly ClusterHealth _cluster = new(fleet);

    /// <inheritdoc/>
    public override string Name => "PrivateNetwork";

    /// <inheritdoc/>
    public override string Protects => "What pods of different nodes say to each other crosses the public network, and its port is reachable from there.";

    // The API is asked only where the control is wanted.
    /// <inheritdoc/>
    public override string FactScript => Settings.PrivateNetwork is not { } network ? base.FactScript : $$"""
        {{base.FactScript}}
        private=$(ip -4 -o address show to {{Subnet(network)}} | sed -nE 's/^[0-9]+: +([^ @]+)[^ ]* +inet ([0-9.]+).*/\1 \2/p' | head -n 1)
        printf 'device=%s\naddress=%s\nmtu=%s\n' "${private% *}" "${private#* }" "$(cat "/sys/class/net/${private% *}/mtu")"
        for file in {{SettingsFile}} {{UnitFile}}; do [ -e $file ] && printf 'file=%s %s\n' $file "$(base64 -w0 $file)"; done
        ls /etc/rancher/k3s/config.yaml {{K3sServer.Settings}}/*.yaml | grep -vxF {{SettingsFile}} | xargs grep -qsE '^node-ip:' && echo nodeip=set
        if [ -e /etc/systemd/system/k3s.service ]; then
            k3s kubectl get node "$(hostname)" --request-timeout=5s -o jsonpath='used={.metadata.annotations.flannel\.alpha\.coreos\.com/public-ip}{"\n"}internal={.status.addresses[?(@.type=="InternalIP")].address}{"\n"}'
        fi
        """;

    /// <inheritdoc/>
    protected override string Restore => $"{UfwScripts.Reload}\nsystemctl daemon-reload\n{K3sServer.RestartInUndo}";

    /// <inheritdoc/>
    protected override RulePlan Plan(NodeFacts facts, UfwState state)
    {
        var access = AccessTo(facts);
        return state.Enabled ? RulePlan.Of(state.Rules, [.. access.PrivateRange.SelectMany(range => BaselineRules.BetweenNodes(range, access.Encrypted))], _ => false) : new RulePlan([], []);
    }

    /// <inheritdoc/>
    protected override string Describe(RulePlan plan) => $"let in the private network {Settings.PrivateNetwork!.Range}";

    /// <inheritdoc/>
    protected override bool IsOn(UfwState state) => true;

    /// <inheritdoc/>
    protected override NodeVerdict Judge(NodeFacts facts)
    {
        if (Settings.PrivateNetwork is not { } network)
        {
            return new NodeVerdict(ControlState.NotApplicable, "hardening.privateNetwork of the environment is not set in deploy.yaml");
        }

        if (facts.K3s != K3sRole.Server)
        {
            return new NodeVerdict(ControlState.NotApplicable, "the node is no server of K3s");
        }

        var left = facts.Applied.Contains(Name) ? ControlState.Drifted : ControlState.Missing;
        var address = facts.Value(Name, "address");
        return address.Length == 0 ? new NodeVerdict(left, $"the node has no address in {network.Range}")
            : Differing(facts) is { } file ? new NodeVerdict(left, $"{file.Path} is not as it should be")
            : facts.Value(Name, "used") != address ? new NodeVerdict(left, $"flannel uses {facts.Value(Name, "used")}, and not {address}")
            : PacketSizeOf(facts) > PacketSize ? new NodeVerdict(left, $"{facts.Value(Name, "device")} takes packets of {PacketSizeOf(facts)} bytes, which the private network does not carry")
            : !Plan(facts, StateOf(facts)).IsEmpty ? new NodeVerdict(left, $"the firewall does not let {network.Range} in")
            : new NodeVerdict(ControlState.InPlace, $"flannel uses {address} on {facts.Value(Name, "device")}");
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NodeChange> ChangesFor(NodeFacts facts) => Judge(facts).State.IsFine() ? [] : [.. OpenOf(facts), .. SwitchOf(facts)];

    /// <inheritdoc/>
    public override async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken)
    {
        if (Settings.PrivateNetwork is not { } settings)
        {
            return [];
        }

        var planned = ImmutableArray.CreateBuilder<PlannedChange>();
        var client = await open(settings, cancellationToken);
        var network = await NetworkAsync(client, settings, cancellationToken);
        if (network is null)
        {
            planned.Add(new PlannedChange(settings.Name, $"make the private network {settings.Range} in {settings.Zone}"));
        }

        planned.AddRange((await ServersAsync(client, cancellationToken)).Where(server => network?.Servers.Contains(server.Server.Id) != true).Select(server => Attached(server.Node, settings)));
        foreach (var node in _fleet.Nodes)
        {
            var facts = await node.FactsAsync(cancellationToken);
            planned.AddRange(Judge(facts).State.IsFine() ? [] : facts.Value(Name, "address").Length == 0
                ? [new PlannedChange(node.Name, "let flannel use the private network, restart k3s")]
                : ChangesFor(facts).Select(change => new PlannedChange(node.Name, change.Description)));
        }

        return planned.ToImmutable();
    }

    /// <inheritdoc/>
    public override async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings.PrivateNetwork is not { } settings)
        {
            return [];
        }

        var done = ImmutableArray.CreateBuilder<PlannedChange>();
        RequireOwnRange(settings);
        var client = await open(settings, cancellationToken);
        var network = await NetworkAsync(client, settings, cancellationToken);
        if (network is null)
        {
            network = await MakeAsync(client, settings, cancellationToken);
            done.Add(new PlannedChange(settings.Name, $"made the private network {settings.Range} in {settings.Zone}"));
        }

        foreach (var (node, server) in await ServersAsync(client, cancellationToken))
        {
            if (!network.Servers.Contains(server.Id))
            {
                await client.AttachAsync(server.Id, network.Id, cancellationToken);
                done.Add(Attached(node, settings));
            }
        }

        await Task.WhenAll(_fleet.Nodes.Select(node => UntilAddressedAsync(node, settings, cancellationToken)));

        // Every firewall lets the network in before the first server speaks over it.
        foreach (var node in _fleet.Nodes)
        {
            var facts = await CleanAsync(node, cancellationToken);
            foreach (var change in facts.K3s == K3sRole.Server ? OpenOf(facts) : [])
            {
                await new NodeTransaction(node, Settings.UndoAfter.Value).ApplyAsync(change, cancellationToken);
                done.Add(new PlannedChange(node.Name, change.Description));
            }
        }

        return [.. done, .. await base.ApplyAsync(cancellationToken)];
    }

    /// <inheritdoc/>
    public override async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        var findings = await base.VerifyAsync(cancellationToken);
        if (!findings.Any(finding => finding.State == ControlState.InPlace) || !findings.All(finding => finding.State.IsFine()))
        {
            return findings;
        }

        var (seen, failure) = await RepeatedLook.UntilAsync(() => TryTransferAsync(cancellationToken), look => look.Failure is null, PeersLimit, Pause, time, cancellationToken);
        return failure is null
            ? [.. findings.Select(finding => finding.State == ControlState.InPlace ? finding with { Evidence = [.. finding.Evidence, .. seen] } : finding)]
            : [new Finding(Name, failure.Node, ControlState.Drifted, failure.Summary, [.. failure.Details])];
    }

    // The transfer between all nodes follows; here is what each says of itself.
    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) => Task.FromResult(
        facts.Value(Name, "internal") == facts.Value(Name, "address")
            ? new NodeVerdict(ControlState.Drifted, "the node's own address has moved to the private network, and etcd's with it")
            : new NodeVerdict(ControlState.InPlace, $"flannel uses {facts.Value(Name, "address")}, the node's own address is {facts.Value(Name, "internal")} as before"));

    /// <summary>Moves flannel back; a network that this control made is taken away again, another one and its servers are left as they are.</summary>
    public override async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        var undone = await base.UndoAsync(cancellationToken);
        if (Settings.PrivateNetwork is not { } settings)
        {
            return undone;
        }

        var client = await open(settings, cancellationToken);
        if (await NetworkAsync(client, settings, cancellationToken) is not { Maker: Maker } network)
        {
            return undone;
        }

        var own = await ServersAsync(client, cancellationToken);
        foreach (var (_, server) in own.Where(server => network.Servers.Contains(server.Server.Id)))
        {
            await client.DetachAsync(server.Id, network.Id, cancellationToken);
        }

        if (network.Servers.Except(own.Select(server => server.Server.Id)).Any())
        {
            return undone.Add(new PlannedChange(settings.Name, "detached the servers; others use the network still"));
        }

        await client.DeleteNetworkAsync(network.Id, cancellationToken);
        return undone.Add(new PlannedChange(settings.Name, "deleted the private network"));
    }

    private async Task<(ImmutableArray<string> Seen, NodeException? Failure)> TryTransferAsync(CancellationToken cancellationToken)
    {
        try
        {
            return (await TransferAsync(cancellationToken), null);
        }
        catch (NodeException failure)
        {
            return ([], failure);
        }
    }

    private async Task<ImmutableArray<string>> TransferAsync(CancellationToken cancellationToken)
    {
        var nodes = await _cluster.ServersAsync(cancellationToken);
        var facts = await Task.WhenAll(nodes.Select(node => node.FactsAsync(cancellationToken)));
        var before = await Task.WhenAll(nodes.Select((node, number) => CountedAsync(node, facts[number], cancellationToken)));
        var seen = await new MeshTransfer(facts[0].Value(Name, "encrypted") == "yes" ? "flannel-wg" : "flannel.1").ProveAsync(nodes, cancellationToken);
        var after = await Task.WhenAll(nodes.Select((node, number) => CountedAsync(node, facts[number], cancellationToken)));
        for (var number = 0; number < nodes.Count; number++)
        {
            if (after[number] - before[number] < (long)MeshTransfer.Bytes * (nodes.Count - 1))
            {
                throw new NodeException(nodes[number].Name, $"what pods said to {nodes[number].Name} did not come over {facts[number].Value(Name, "device")}");
            }
        }

        return seen;
    }

    private async Task<long> CountedAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) => long.Parse(
        await node.RunAsync("read what its private device counted", $"cat /sys/class/net/{facts.Value(Name, "device")}/statistics/rx_bytes", cancellationToken),
        CultureInfo.InvariantCulture);

    private IEnumerable<NodeChange> OpenOf(NodeFacts facts)
    {
        var plan = Plan(facts, StateOf(facts));
        return plan.IsEmpty ? [] :
        [
            new NodeChange(Name, Describe(plan))
            {
                Touches = UfwScripts.Files,
                Apply = UfwScripts.Run(plan.Commands),
                Restore = UfwScripts.Reload,
                Inverse = UfwScripts.Run(plan.InverseCommands),
            },
        ];
    }

    private IEnumerable<NodeChange> SwitchOf(NodeFacts facts)
    {
        if (facts.Value(Name, "address").Length == 0)
        {
            throw new NodeException(facts.Node, $"{Name}: node {facts.Node} has no address in {Settings.PrivateNetwork!.Range}", "Its image must configure attached networks by DHCP (package hc-utils on Hetzner's).");
        }

        if (Differing(facts) is not null || facts.Value(Name, "used") != facts.Value(Name, "address") || PacketSizeOf(facts) > PacketSize)
        {
            yield return new NodeChange(Name, $"let flannel use {facts.Value(Name, "device")} ({facts.Value(Name, "address")}), restart k3s")
            {
                Files = Wanted(facts),
                Apply = $"systemctl daemon-reload\n{K3sServer.Restart}",
                Restore = $"systemctl daemon-reload\n{K3sServer.RestartInUndo}",
            };
        }
    }

    // The node's own address is written down where nothing sets it: it must not follow flannel.
    private ImmutableArray<NodeFile> Wanted(NodeFacts facts) =>
    [
        new(
            SettingsFile,
            $"# Made by Cake.K3s: pods' traffic alone moves; the node's own address stays, and etcd's with it.\nflannel-iface: {facts.Value(Name, "device")}\n"
            + (facts.Value(Name, "nodeip") == "set" ? "" : $"node-ip: {facts.Value(Name, "internal")}\n"),
            "600"),
        new(
            UnitFile,
            string.Create(CultureInfo.InvariantCulture, $"# Made by Cake.K3s: what Hetzner's private networks carry.\n[Service]\nExecStartPre=-/sbin/ip link set dev {facts.Value(Name, "device")} mtu {PacketSize}\n")),
    ];

    private NodeFile? Differing(NodeFacts facts)
    {
        var files = facts.Values(Name, "file").Select(line => line.Split(' ', 2)).ToDictionary(parts => parts[0], parts => Encoding.UTF8.GetString(Convert.FromBase64String(parts[1])));
        return Wanted(facts).FirstOrDefault(file => files.GetValueOrDefault(file.Path) != file.Content);
    }

    private int PacketSizeOf(NodeFacts facts) => int.TryParse(facts.Value(Name, "mtu"), CultureInfo.InvariantCulture, out var size) ? size : 0;

    private static async Task UntilAddressedAsync(Node node, PrivateNetworkSettings settings, CancellationToken cancellationToken)
    {
        await node.RunAsync(
            $"get an address in {settings.Range}, though it is attached to {settings.Name}",
            $"""
            tries=120
            until ip -4 -o address show to {Subnet(settings)} | grep -q .; do
                tries=$((tries - 1))
                [ $tries -gt 0 ] || exit 1
                sleep 0.5
            done
            """,
            cancellationToken);
        node.Forget();
    }

    private static async Task<HetznerNetwork?> NetworkAsync(HetznerClient client, PrivateNetworkSettings settings, CancellationToken cancellationToken)
    {
        var network = await client.NetworkAsync(settings.Name, cancellationToken);
        return network is null || network.Subnets.Contains(settings.Range)
            ? network
            : throw new K3sException(
                ExitCodes.BadInput,
                $"Hetzner's network {settings.Name} has no subnet {settings.Range}: {string.Join(", ", network.Subnets)}",
                "Set hardening.privateNetwork.range to one of its subnets, or name another network.");
    }

    // Somebody, or a request of ours whose answer was lost, may have made it since.
    private static async Task<HetznerNetwork> MakeAsync(HetznerClient client, PrivateNetworkSettings settings, CancellationToken cancellationToken)
    {
        try
        {
            return await client.MakeNetworkAsync(settings.Name, settings.Range, settings.Zone, Maker, cancellationToken);
        }
        catch (HetznerException taken) when (taken.IsNameTaken)
        {
            return await NetworkAsync(client, settings, cancellationToken) ?? throw new HetznerException(taken.Code, $"there is a network {settings.Name} and there is none: try again", taken);
        }
    }

    private async Task<IReadOnlyList<(NodeSettings Node, HetznerServer Server)>> ServersAsync(HetznerClient client, CancellationToken cancellationToken)
    {
        var servers = await client.ServersAsync(cancellationToken);
        var chosen = _fleet.Nodes.Select(node => node.Name).ToHashSet(StringComparer.Ordinal);
        return
        [
            .. Environment.Nodes.Where(node => chosen.Contains(node.Name)).Select(node => (
                node,
                servers.FirstOrDefault(server => server.Name == node.Name)
                    ?? servers.FirstOrDefault(server => server.PublicAddress is { } address && (address == node.Host || node.Addresses.Contains(address)))
                    ?? throw new K3sException(
                        ExitCodes.BadInput,
                        $"{Name}: Hetzner's project has no server {node.Name}, and none with its address",
                        "Name nodes as their servers, set nodes[].addresses, or use a token of the servers' project."))),
        ];
    }

    private void RequireOwnRange(PrivateNetworkSettings settings)
    {
        if (!AddressRange.TryParse(settings.Range, out var own))
        {
            throw new K3sException(ExitCodes.BadInput, $"hardening.privateNetwork.range is '{settings.Range}', which is no range", "e.g. 10.0.0.0/24");
        }

        foreach (var other in new[] { Settings.PodRange, Settings.ServiceRange })
        {
            if (AddressRange.TryParse(other, out var range) && range.Overlaps(own))
            {
                throw new K3sException(ExitCodes.BadInput, $"hardening.privateNetwork.range {settings.Range} overlaps with {other}, which the cluster uses", "Choose another one.");
            }
        }
    }

    // Into a shell script only what is a range.
    private static string Subnet(PrivateNetworkSettings settings) => AddressRange.TryParse(settings.Range, out var range) ? range.ToString() : "0.0.0.0/32";

    private static PlannedChange Attached(NodeSettings node, PrivateNetworkSettings settings) => new(node.Name, $"attach the server to the private network {settings.Name}");
}
