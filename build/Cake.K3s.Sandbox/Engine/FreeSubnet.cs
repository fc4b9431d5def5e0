using System.Globalization;
using System.Net;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>Chooses addresses that no route of this machine leads to.</summary>
internal static class FreeSubnet
{
    /// <summary>
    /// A /24 for pods, of 10.201.0.0/16 and 172.29.0.0/16: away from the defaults of Docker (172.17), K3s (10.42, 10.43),
    /// libvirt (192.168.122) and most home routers.
    /// </summary>
    /// <param name="taken">Networks that are in use.</param>
    /// <param name="start">Where to begin, so that two sandboxes that start at once do not meet.</param>
    public static IPNetwork ForPods(IReadOnlyCollection<IPNetwork> taken, int start) =>
        Choose("pods", ["10.201", "172.29"], 24, taken, start);

    /// <summary>A /20 for Services, of K3s' own 10.43.0.0/16 and of 10.143.0.0/16.</summary>
    /// <param name="taken">Networks that are in use.</param>
    /// <param name="start">Where to begin.</param>
    public static IPNetwork ForServices(IReadOnlyCollection<IPNetwork> taken, int start) =>
        Choose("Services", ["10.43", "10.143"], 20, taken, start);

    /// <summary>Whether none of the networks that are in use overlaps.</summary>
    public static bool IsFree(IPNetwork candidate, IReadOnlyCollection<IPNetwork> taken) =>
        !taken.Any(network => network.Contains(candidate.BaseAddress) || candidate.Contains(network.BaseAddress));

    /// <summary>The networks that this machine has routes to, its own addresses included.</summary>
    public static IReadOnlyCollection<IPNetwork> InUse() => [.. RoutesOf(File.ReadLines("/proc/net/fib_trie"))];

    /// <summary>The destinations in the kernel's forwarding table, the default route left out.</summary>
    internal static IEnumerable<IPNetwork> RoutesOf(IEnumerable<string> table)
    {
        // "|-- 10.43.0.0" and then one line a route to it: "/16 host LOCAL".
        var destination = IPAddress.Any;
        foreach (var line in table.Select(line => line.Trim()))
        {
            if (line.StartsWith("|-- ", StringComparison.Ordinal))
            {
                destination = IPAddress.Parse(line[4..]);
            }
            else if (line.StartsWith('/') && !line.StartsWith("/0 ", StringComparison.Ordinal))
            {
                yield return new IPNetwork(destination, int.Parse(line.Split(' ')[0][1..], CultureInfo.InvariantCulture));
            }
        }
    }

    private static IPNetwork Choose(string purpose, string[] ranges, int length, IReadOnlyCollection<IPNetwork> taken, int start)
    {
        var count = 1 << (length - 16);
        foreach (var range in ranges)
        {
            for (var i = 0; i < count; i++)
            {
                var third = (start + i) % count * (256 / count);
                var candidate = IPNetwork.Parse(string.Create(CultureInfo.InvariantCulture, $"{range}.{third}.0/{length}"));
                if (IsFree(candidate, taken))
                {
                    return candidate;
                }
            }
        }

        throw new K3sException(
            ExitCodes.RequirementMissing,
            $"the sandbox found no free addresses for its {purpose}: {string.Join(" and ", ranges.Select(range => range + ".0.0/16"))} are in use on this machine",
            "Remove a route (ip route show table all).");
    }
}
