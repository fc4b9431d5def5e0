using System.Collections.Immutable;
using System.Text.Json;
using Cake.K3s.Hardening.Nodes.Firewall;

namespace Cake.K3s.Hardening.Nodes.CloudflareOnly;

/// <summary>The addresses that Cloudflare's proxies connect from.</summary>
/// <param name="Etag">Cloudflare's own mark of this list.</param>
/// <param name="V4">IPv4 ranges.</param>
/// <param name="V6">IPv6 ranges.</param>
internal sealed record CloudflareRanges(string Etag, ImmutableArray<AddressRange> V4, ImmutableArray<AddressRange> V6)
{
    // There have been 15 and 7 for years. Fewer than these is an answer that was cut off.
    private const int FewestV4 = 10;
    private const int FewestV6 = 5;

    // Nobody has a wider range; one that is would let half of the world in.
    private const int ShortestV4 = 10;
    private const int ShortestV6 = 24;

    /// <summary>Both.</summary>
    public IEnumerable<AddressRange> All => V4.Concat(V6);

    /// <summary>
    /// Reads the answer of <c>GET /client/v4/ips</c>. One range that is not plainly one refuses the whole answer: a firewall that is made
    /// of half a list is either open or shuts the app's visitors out.
    /// </summary>
    /// <exception cref="FormatException">It is not to be trusted; the message says why.</exception>
    public static CloudflareRanges Parse(string answer)
    {
        if (string.IsNullOrWhiteSpace(answer))
        {
            throw new FormatException("the answer is empty");
        }

        try
        {
            using var document = JsonDocument.Parse(answer);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("success", out var success)
                || success.ValueKind != JsonValueKind.True
                || !document.RootElement.TryGetProperty("result", out var result)
                || result.ValueKind != JsonValueKind.Object)
            {
                throw new FormatException("the answer does not say that it succeeded");
            }

            return new CloudflareRanges(
                result.TryGetProperty("etag", out var etag) && etag.ValueKind == JsonValueKind.String ? etag.GetString()! : "",
                Read(result, "ipv4_cidrs", v6: false, FewestV4, ShortestV4),
                Read(result, "ipv6_cidrs", v6: true, FewestV6, ShortestV6));
        }
        catch (JsonException notJson)
        {
            throw new FormatException(answer.TrimStart().StartsWith('<') ? "the answer is a page of HTML" : "the answer is not JSON, or only a part of it", notJson);
        }
    }

    /// <summary>As <see cref="Parse"/> reads it.</summary>
    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            success = true,
            result = new { etag = Etag, ipv4_cidrs = V4.Select(range => range.ToString()), ipv6_cidrs = V6.Select(range => range.ToString()) },
        },
        new JsonSerializerOptions { WriteIndented = true });

    /// <summary>These, and those of another CDN that may come to the nodes too.</summary>
    /// <exception cref="K3sException">One of the others is no range, or holds everybody (exit code 2).</exception>
    public CloudflareRanges With(IEnumerable<string> others)
    {
        var ranges = others.Select(text => AddressRange.TryParse(text, out var range) && range.Network.PrefixLength >= (range.IsV6 ? ShortestV6 : ShortestV4)
            ? range
            : throw new K3sException(
                ExitCodes.BadInput, $"edge.otherRanges has '{text}', which is no range of a CDN's", "Write ranges as that CDN publishes them, e.g. 203.0.113.0/24.")).ToList();
        return this with { V4 = [.. V4.Union(ranges.Where(range => !range.IsV6))], V6 = [.. V6.Union(ranges.Where(range => range.IsV6))] };
    }

    /// <summary>Whether the addresses are the same.</summary>
    public bool SameAs(CloudflareRanges other) => All.ToHashSet().SetEquals(other.All);

    private static ImmutableArray<AddressRange> Read(JsonElement result, string name, bool v6, int fewest, int shortest)
    {
        if (!result.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array)
        {
            throw new FormatException($"the answer has no list {name}");
        }

        var ranges = list.EnumerateArray().Select(item => RangeOf(item, name, v6, shortest)).Distinct().ToImmutableArray();
        return ranges.Length >= fewest
            ? ranges
            : throw new FormatException($"{name} has {ranges.Length} ranges, and fewer than {fewest} cannot be all of them");
    }

    private static AddressRange RangeOf(JsonElement item, string name, bool v6, int shortest)
    {
        var text = item.ValueKind == JsonValueKind.String ? item.GetString()! : item.GetRawText();
        if (!AddressRange.TryParse(text, out var range) || range.IsV6 != v6)
        {
            throw new FormatException($"{name} has '{text}', which is no range");
        }

        return range.Network.PrefixLength >= shortest && !NotOnTheInternet.Any(range.Overlaps)
            ? range
            : throw new FormatException($"{name} has {text}, which cannot be a range of Cloudflare's");
    }

    private static readonly ImmutableArray<AddressRange> NotOnTheInternet =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "224.0.0.0/3",
            "::/16", "fc00::/7", "fe80::/10", "ff00::/8",
        }.Select(AddressRange.Parse),
    ];
}
