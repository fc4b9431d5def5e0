using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>A range of IP addresses in CIDR notation.</summary>
/// <param name="Network">The range; its address has no bits beyond the prefix.</param>
internal readonly record struct AddressRange(IPNetwork Network)
{
    /// <summary>Every IPv4 address.</summary>
    public static AddressRange AnyV4 { get; } = new(new IPNetwork(IPAddress.Any, 0));

    /// <summary>Every IPv6 address.</summary>
    public static AddressRange AnyV6 { get; } = new(new IPNetwork(IPAddress.IPv6Any, 0));

    /// <summary>Whether it is of IPv6.</summary>
    public bool IsV6 => Network.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6;

    /// <summary>Whether it is every address of its family.</summary>
    public bool IsAny => Network.PrefixLength == 0;

    /// <summary>The range of one address.</summary>
    public static AddressRange Of(IPAddress address) =>
        new(new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32));

    /// <summary>Whether all addresses of the other range are in this one.</summary>
    public bool Covers(AddressRange other) =>
        IsV6 == other.IsV6 && Network.PrefixLength <= other.Network.PrefixLength && Network.Contains(other.Network.BaseAddress);

    /// <summary>Whether there is an address in both.</summary>
    public bool Overlaps(AddressRange other) => Covers(other) || other.Covers(this);

    /// <summary>
    /// Reads an address or a range, strictly: four decimal numbers, no bits beyond the prefix. What other programs read
    /// otherwise (<c>010.0.0.1</c>, <c>10.1</c>, <c>10.0.0.1/8</c>) is no range here.
    /// </summary>
    public static bool TryParse(string text, out AddressRange range)
    {
        range = default;
        var parts = text.Split('/');
        if (parts.Length > 2 || !TryParseAddress(parts[0], out var address))
        {
            return false;
        }

        var longest = address.AddressFamily == AddressFamily.InterNetworkV6 ? 128 : 32;
        var length = longest;
        if (parts.Length == 2
            && (!int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out length)
                || length > longest
                || parts[1] != length.ToString(CultureInfo.InvariantCulture)))
        {
            return false;
        }

        if (!HasOnlyPrefix(address, length))
        {
            return false;
        }

        range = new AddressRange(new IPNetwork(address, length));
        return true;
    }

    /// <summary>Reads an address or a range.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static AddressRange Parse(string text) =>
        TryParse(text, out var range) ? range : throw new FormatException($"'{text}' is neither an IP address nor a range in CIDR notation");

    /// <summary>The range as UFW writes it: one address without its prefix length.</summary>
    public override string ToString() =>
        Network.PrefixLength == (IsV6 ? 128 : 32)
            ? Network.BaseAddress.ToString()
            : string.Create(CultureInfo.InvariantCulture, $"{Network.BaseAddress}/{Network.PrefixLength}");

    private static bool TryParseAddress(string text, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address)
        && !text.Contains('%', StringComparison.Ordinal)
        && !text.Contains('[', StringComparison.Ordinal)
        && (address.AddressFamily == AddressFamily.InterNetworkV6 || address.ToString() == text);

    private static bool HasOnlyPrefix(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var bit = length; bit < bytes.Length * 8; bit++)
        {
            if ((bytes[bit / 8] & (0x80 >> (bit % 8))) != 0)
            {
                return false;
            }
        }

        return true;
    }
}
