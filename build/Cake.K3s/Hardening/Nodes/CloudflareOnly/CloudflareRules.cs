using System.Collections.Immutable;
using Cake.K3s.Hardening.Nodes.Firewall;

namespace Cake.K3s.Hardening.Nodes.CloudflareOnly;

/// <summary>Which firewall rules let Cloudflare in to HTTP and HTTPS, and which let in somebody else.</summary>
internal static class CloudflareRules
{
    /// <summary>The comment of the rules.</summary>
    public const string Comment = "cloudflare";

    /// <summary>HTTP and HTTPS.</summary>
    public static ImmutableArray<int> Ports { get; } = [80, 443];

    private static readonly PortSet Web = PortSet.Parse("80,443")!;

    /// <summary>The rules that must be there.</summary>
    public static IEnumerable<UfwRule> Wanted(CloudflareRanges ranges) => ranges.All.Select(range => new UfwRule
    {
        Action = "allow",
        Protocol = "tcp",
        Source = range,
        Destination = range.IsV6 ? AddressRange.AnyV6 : AddressRange.AnyV4,
        Ports = Web,
        Comment = Comment,
    });

    /// <summary>
    /// Adds what is missing, then deletes stale ranges and whatever else is about HTTP and HTTPS alone and lets in others than the cluster
    /// and its operators; the rules for everybody go last.
    /// </summary>
    /// <param name="rules">The rules that are there.</param>
    /// <param name="ranges">Cloudflare's ranges.</param>
    /// <param name="trusted">The ranges of nodes, pods, services and operators: their rules stay.</param>
    public static RulePlan Plan(IReadOnlyCollection<UfwRule> rules, CloudflareRanges ranges, IReadOnlyCollection<AddressRange> trusted) =>
        RulePlan.Of(rules, [.. Wanted(ranges)], rule => rule.LetsIn && rule.Ports.IsWithin(Ports) && !trusted.Any(range => range.Covers(rule.Source)));

    /// <summary>
    /// The rules that let others in to HTTP or HTTPS and to more than that: deleting them would close what this control is not about.
    /// </summary>
    public static ImmutableArray<UfwRule> TooWide(IEnumerable<UfwRule> rules, CloudflareRanges ranges, IReadOnlyCollection<AddressRange> trusted) =>
    [
        .. rules.Where(rule =>
            rule.LetsIn
            && rule.Protocol is "any" or "tcp"
            && Ports.Any(rule.Ports.Contains)
            && !rule.Ports.IsWithin(Ports)
            && !trusted.Concat(ranges.All).Any(range => range.Covers(rule.Source))),
    ];
}
