using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>
/// Puts addresses in the place of names in policies: <c>cidr: nodes</c>, <c>cidr: outside/NAME</c> and <c>port: outside/NAME</c>.
/// </summary>
internal static class PolicyRanges
{
    private const string Nodes = "nodes";
    private const string Outside = "outside/";

    // RFC 1918, 6598, 3927, 1122 and 4193, 4291: what is never a provider's server on the internet.
    private static readonly string[] PrivateRanges = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "127.0.0.0/8"];
    private static readonly string[] PrivateRanges6 = ["fc00::/7", "fe80::/10", "::1/128"];

    /// <summary>A policy with addresses in the place of names; the manifest stays as it is.</summary>
    /// <param name="manifest">A NetworkPolicy as written.</param>
    /// <param name="nodes">The addresses of the nodes, on either network.</param>
    /// <param name="outside">The servers outside of the cluster.</param>
    /// <exception cref="Settings.SettingsException">A name is not known.</exception>
    public static JsonObject Expand(Manifest manifest, IEnumerable<IPAddress> nodes, IReadOnlyDictionary<string, FlowTarget> outside)
    {
        // Sorted and once each: the same cluster always gives the same policy.
        var nodeRanges = nodes.Select(Ranges.Of).Distinct().Order(StringComparer.Ordinal).ToList();
        var copy = manifest.Node.DeepClone().AsObject();
        foreach (var (direction, peers) in (ReadOnlySpan<(string, string)>)[("ingress", "from"), ("egress", "to")])
        {
            foreach (var (rule, written) in copy.Objects("spec", direction).Zip(manifest.Node.Objects("spec", direction)))
            {
                if (rule[peers] is JsonArray list)
                {
                    rule[peers] = new JsonArray([.. list.Zip(written[peers]!.AsArray()).SelectMany(peer => Peers(peer.First, peer.Second))]);
                }

                foreach (var (port, place) in rule.Objects("ports").Zip(written.Objects("ports")))
                {
                    if (port.Text("port") is { } name && name.StartsWith(Outside, StringComparison.Ordinal))
                    {
                        port["port"] = Named(name, place["port"]).Port;
                    }
                }
            }
        }

        return copy;

        IEnumerable<JsonNode?> Peers(JsonNode? peer, JsonNode? written) => peer.Text("ipBlock", "cidr") switch
        {
            Nodes => nodeRanges.Select(range => (JsonNode?)Block(range)),
            { } name when name.StartsWith(Outside, StringComparison.Ordinal) => BlocksOf(Named(name, written.At("ipBlock", "cidr")).To.Addresses),
            _ => [peer?.DeepClone()],
        };

        FlowTarget Named(string name, JsonNode? written) => outside.TryGetValue(name[Outside.Length..], out var target)
            ? target
            : throw manifest.PlaceOf(written).Error(
                $"there is no {name[Outside.Length..]} in hardening.networkPolicies.outside",
                outside.Count > 0 ? $"there are: {string.Join(", ", outside.Keys)}" : "add it to deploy.yaml");
    }

    /// <summary>
    /// The ranges for a server: its addresses where they are private, else the whole internet without private ranges, as hosted services
    /// change theirs at any time.
    /// </summary>
    private static IEnumerable<JsonNode?> BlocksOf(ImmutableArray<IPAddress> addresses) => addresses.All(IsPrivate)
        ? addresses.Select(Ranges.Of).Order(StringComparer.Ordinal).Select(range => (JsonNode?)Block(range))
        : [Block("0.0.0.0/0", PrivateRanges), Block("::/0", PrivateRanges6)];

    private static bool IsPrivate(IPAddress address) => PrivateRanges.Concat(PrivateRanges6).Any(range => Ranges.Contains(range, address));

    private static JsonObject Block(string range, params string[] except)
    {
        var block = new JsonObject { ["cidr"] = range };
        if (except.Length > 0)
        {
            block["except"] = new JsonArray([.. except.Select(item => JsonValue.Create(item))]);
        }

        return new() { ["ipBlock"] = block };
    }
}
