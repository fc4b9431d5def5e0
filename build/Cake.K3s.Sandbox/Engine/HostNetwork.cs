using System.Net;
using System.Text.Json;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Node;
using Cake.K3s.Tools;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>What an engine changes of the machine's network: remembered before it starts, put back after it has ended.</summary>
/// <param name="Addresses">The sandbox's addresses in CIDR form, those of networks that its users make included.</param>
/// <param name="Forwarding">The text of net.ipv4.ip_forward.</param>
/// <param name="Iptables">Absolute path of the iptables that the engine uses.</param>
/// <param name="Variables">Variables to run it with.</param>
internal sealed record HostNetwork(string Addresses, string Forwarding, string Iptables, Dictionary<string, string?> Variables)
{
    private const string ForwardingFile = "/proc/sys/net/ipv4/ip_forward";

    private static readonly string[] Tables = ["filter", "nat", "raw"];

    /// <summary>Saves how things are, unless that was done for an engine that has not been ended since; lets packets of pods pass.</summary>
    public static async Task PrepareAsync(
        SandboxDirectory directory,
        IPNetwork addresses,
        Tool engine,
        ICommandRunner runner,
        CancellationToken cancellationToken)
    {
        var network = Read(directory);
        if (network is null)
        {
            network = new HostNetwork(addresses.ToString(), File.ReadAllText(ForwardingFile).Trim(), FindIptables(engine), new(engine.Environment));
            PrivateFiles.Write(directory.HostNetworkBefore, JsonSerializer.Serialize(network));
        }

        // Done before dockerd does it: an engine that finds it off also sets the machine's forward policy to DROP.
        File.WriteAllText(ForwardingFile, "1");

        // Services, DNS and Postgres are on this machine; one that refuses what it does not know (ufw) would refuse its pods.
        string[] rule = ["INPUT", "-i", directory.Bridge, "-j", "ACCEPT"];
        var present = await runner.RunAsync(network.Run("filter", ["-C", .. rule]) with { AcceptedExitCodes = [0, 1] }, cancellationToken);
        if (present.ExitCode != 0)
        {
            await runner.RunAsync(network.Run("filter", ["-I", .. rule]), cancellationToken);
        }
    }

    /// <summary>Removes the sandbox's rules and bridges and puts the rest back; for an engine that has ended.</summary>
    /// <param name="directory">The sandbox.</param>
    /// <param name="runner">Runs iptables.</param>
    /// <param name="cancellationToken">Stops in between; another call does the rest.</param>
    public static async Task RestoreAsync(SandboxDirectory directory, ICommandRunner runner, CancellationToken cancellationToken)
    {
        var bridges = new HashSet<string> { directory.Bridge };
        if (Read(directory) is { } before)
        {
            var addresses = IPNetwork.Parse(before.Addresses);
            bridges.UnionWith(Bridge.Within(addresses));
            foreach (var table in Tables)
            {
                await before.RemoveRulesAsync(table, directory.Bridge, addresses, runner, cancellationToken);
            }

            File.WriteAllText(ForwardingFile, before.Forwarding);
        }

        foreach (var bridge in bridges)
        {
            Bridge.Remove(bridge);
        }

        if (File.Exists(directory.HostNetworkBefore))
        {
            File.Delete(directory.HostNetworkBefore);
        }
    }

    /// <summary>What filters packets the way the sandbox's own engine does; null where it does not run.</summary>
    public static NodeFirewall? Firewall(SandboxDirectory directory) => Read(directory) is { } network && File.Exists(network.Iptables + "-restore")
        ? new(network.Iptables + "-restore", [.. network.Variables])
        : null;

    private static HostNetwork? Read(SandboxDirectory directory) => File.Exists(directory.HostNetworkBefore)
        ? JsonSerializer.Deserialize<HostNetwork>(File.ReadAllText(directory.HostNetworkBefore))
        : null;

    private async Task RemoveRulesAsync(
        string table,
        string bridge,
        IPNetwork addresses,
        ICommandRunner runner,
        CancellationToken cancellationToken)
    {
        // Taking out one's own rules first shows whether another engine still uses the chains.
        var rules = await ListAsync(table, runner, cancellationToken);
        foreach (var removal in EngineRules.Own(rules, bridge, addresses))
        {
            await runner.RunAsync(Run(table, removal), cancellationToken);
        }

        rules = await ListAsync(table, runner, cancellationToken);
        foreach (var removal in EngineRules.UnusedChains(rules))
        {
            await runner.RunAsync(Run(table, removal), cancellationToken);
        }
    }

    private async Task<string[]> ListAsync(string table, ICommandRunner runner, CancellationToken cancellationToken)
    {
        // 3: the kernel has no such table, so there are no rules in it.
        var result = await runner.RunAsync(Run(table, ["-S"]) with { AcceptedExitCodes = [0, 3] }, cancellationToken);
        return result.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    private Command Run(string table, IEnumerable<string> arguments) => new(Iptables, ["-w", "10", "-t", table, .. arguments])
    {
        Environment = [.. Variables],
        Purpose = "change the sandbox's firewall rules",
        Timeout = TimeSpan.FromSeconds(30),
    };

    private static string FindIptables(Tool engine)
    {
        var path = engine.Environment.GetValueOrDefault("PATH") ?? Environment.GetEnvironmentVariable("PATH") ?? "";
        return path.Split(':').Select(folder => Path.Combine(folder, "iptables")).FirstOrDefault(File.Exists)
            ?? throw new K3sException(
                ExitCodes.RequirementMissing,
                "the sandbox's Docker engine needs iptables, which is not on PATH",
                "Install it (apt-get install iptables).");
    }
}
