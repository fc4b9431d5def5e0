using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>Chooses addresses that no route of this machine leads to.</summary>
internal static class FreeSubnet
{
    /// <summary>
    /// The first free /24 of 10.201.0.0/16 and 172.29.0.0/16: away from the defaults of Docker (172.17), K3s (10.42, 10.43),
    /// libvirt (192.168.122) and most home routers.
    /// </summary>
    /// <param name="taken">Networks that are in use; default routes do not count.</param>
    /// <param name="start">Where to begin, so that two sandboxes that start at once do not meet.</param>
    public static IPNetwork Choose(IReadOnlyCollection<IPNetwork> taken, int start)
    {
        foreach (var prefix in (string[])["10.201", "172.29"])
        {
            for (var i = 0; i < 256; i++)
            {
                var candidate = IPNetwork.Parse(string.Create(CultureInfo.InvariantCulture, $"{prefix}.{(start + i) % 256}.0/24"));
                if (!taken.Any(network => Overlap(network, candidate)))
                {
                    return candidate;
                }
            }
        }

        throw new K3sException(
            ExitCodes.RequirementMissing,
            "the sandbox found no free network for its pods: 10.201.0.0/16 and 172.29.0.0/16 are both in use on this machine",
            "Remove a route (ip route), or set DOCKER_HOST to an engine with the containerd image store.");
    }

    /// <summary>The networks that this machine has routes to or addresses in.</summary>
    public static IReadOnlyCollection<IPNetwork> InUse() => [.. RoutesOf(File.ReadLines("/proc/net/route")), .. Addresses()];

    /// <summary>The destinations of a /proc/net/route, default routes left out.</summary>
    internal static IEnumerable<IPNetwork> RoutesOf(IEnumerable<string> lines) =>
        from line in lines.Skip(1)
        let fields = line.Split('\t')
        where fields.Length > 7
        let mask = uint.Parse(fields[7], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        where mask != 0
        let destination = uint.Parse(fields[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
        // Both are in network order as this machine reads them: IPAddress takes them so.
        select new IPNetwork(new IPAddress(destination & mask), int.PopCount((int)mask));

    private static IEnumerable<IPNetwork> Addresses() =>
        from network in NetworkInterface.GetAllNetworkInterfaces()
        from address in network.GetIPProperties().UnicastAddresses
        where address.Address.AddressFamily == AddressFamily.InterNetwork
        select NetworkOf(address.Address, address.PrefixLength);

    private static IPNetwork NetworkOf(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < 32; bit++)
        {
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        }

        return new IPNetwork(new IPAddress(bytes), length);
    }

    private static bool Overlap(IPNetwork one, IPNetwork other) => one.Contains(other.BaseAddress) || other.Contains(one.BaseAddress);
}
