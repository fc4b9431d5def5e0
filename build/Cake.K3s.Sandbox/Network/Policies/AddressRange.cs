using System.Buffers.Binary;
using System.Net;

namespace Cake.K3s.Sandbox.Network.Policies;

/// <summary>Ranges of IPv4 addresses.</summary>
internal static class AddressRange
{
    /// <summary>Reads a range; bits beyond its prefix are dropped.</summary>
    public static IPNetwork Parse(string cidr)
    {
        var parts = cidr.Split('/');
        var length = int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
        return Of(Number(IPAddress.Parse(parts[0])) & Mask(length), length);
    }

    /// <summary>The ranges that are left of one when others are taken out.</summary>
    public static IEnumerable<IPNetwork> Without(IPNetwork range, IEnumerable<IPNetwork> others)
    {
        var overlapping = others.Where(other => other.Contains(range.BaseAddress) || range.Contains(other.BaseAddress)).ToList();
        if (overlapping.Count == 0)
        {
            return [range];
        }

        if (overlapping.Any(other => other.PrefixLength <= range.PrefixLength))
        {
            return [];
        }

        var start = Number(range.BaseAddress);
        var length = range.PrefixLength + 1;
        return Without(Of(start, length), overlapping).Concat(Without(Of(start | (1u << (32 - length)), length), overlapping));
    }

    private static uint Number(IPAddress address) => BinaryPrimitives.ReadUInt32BigEndian(address.GetAddressBytes());

    private static uint Mask(int length) => length == 0 ? 0 : uint.MaxValue << (32 - length);

    private static IPNetwork Of(uint number, int length)
    {
        var bytes = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, number);
        return new(new IPAddress(bytes), length);
    }
}
