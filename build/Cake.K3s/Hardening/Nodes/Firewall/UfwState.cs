using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>What UFW on one node is set to.</summary>
/// <param name="Enabled">Whether it is on, now and after a reboot.</param>
/// <param name="IncomingAllowed">Whether what no rule matches is let in.</param>
/// <param name="FiltersV6">Whether its rules are for IPv6 too; otherwise every IPv6 connection comes in.</param>
/// <param name="Rules">The rules in the order in which they are tried, IPv4 and IPv6.</param>
internal sealed record UfwState(bool Enabled, bool IncomingAllowed, bool FiltersV6, ImmutableArray<UfwRule> Rules)
{
    /// <summary>Reads its files, one after the other: ufw.conf, /etc/default/ufw, user.rules, user6.rules.</summary>
    /// <exception cref="FormatException">A line is not as UFW writes it.</exception>
    public static UfwState Parse(string files)
    {
        var lines = files.Split('\n', StringSplitOptions.TrimEntries);
        return new UfwState(
            ValueOf(lines, "ENABLED").Equals("yes", StringComparison.OrdinalIgnoreCase),
            ValueOf(lines, "DEFAULT_INPUT_POLICY").Equals("ACCEPT", StringComparison.OrdinalIgnoreCase),
            !ValueOf(lines, "IPV6").Equals("no", StringComparison.OrdinalIgnoreCase),
            [
                .. lines.Where(line => line.StartsWith("### tuple", StringComparison.Ordinal))
                    .Select(line => UfwRule.Parse(line) ?? throw new FormatException($"UFW's rules have a line that cannot be read: {line}")),
            ]);
    }

    /// <summary>
    /// Whether a new connection is let in, as far as that is sure - always where UFW is off: a rule for one device or one destination counts where it refuses, and
    /// does not where it allows.
    /// </summary>
    public bool LetsIn(Access access)
    {
        if (!Enabled)
        {
            return true;
        }

        foreach (var rule in Rules.Where(rule => !rule.Routed && rule.Direction == "in"))
        {
            if (rule.LetsIn ? rule.InDevice is null && rule.Destination.IsAny && rule.SourcePorts.IsAny && rule.Admits(access) : rule.Touches(access))
            {
                return rule.LetsIn;
            }
        }

        return IncomingAllowed;
    }

    private static string ValueOf(IEnumerable<string> lines, string name) =>
        lines.LastOrDefault(line => line.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..].Trim('"', '\'') ?? "";
}

/// <summary>A kind of connection that comes in.</summary>
/// <param name="Source">Where from.</param>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="Port">Where to.</param>
/// <param name="Purpose">What for, in an error.</param>
internal sealed record Access(AddressRange Source, string Protocol, int Port, string Purpose)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Purpose} ({Port}/{Protocol} from {Source})";
}

/// <summary>How rules and connections meet.</summary>
internal static class RuleMatching
{
    /// <summary>Whether a rule is about all of these connections.</summary>
    public static bool Admits(this UfwRule rule, Access access) =>
        rule.Source.Covers(access.Source) && rule.Protocol is "any" or "tcp" or "udp" && IsAbout(rule, access);

    /// <summary>Whether a rule is about some of these connections.</summary>
    public static bool Touches(this UfwRule rule, Access access) => rule.Source.Overlaps(access.Source) && IsAbout(rule, access);

    private static bool IsAbout(UfwRule rule, Access access) =>
        (rule.Protocol == "any" || rule.Protocol == access.Protocol) && rule.Ports.Contains(access.Port);
}
