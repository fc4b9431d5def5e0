using System.Net;
using System.Numerics;
using Cake.K3s.Hardening.Nodes.Firewall;

namespace Cake.K3s.Tests.Hardening.Nodes;

public sealed class AddressRangeTests
{
    [TestCase("173.245.48.0/20")]
    [TestCase("10.0.0.1")]
    [TestCase("0.0.0.0/0")]
    [TestCase("2400:cb00::/32")]
    [TestCase("::/0")]
    [TestCase("2001:db8::7")]
    public void Should_write_a_range_as_it_was_read_When_it_is_one(string text) =>
        Assert.That(AddressRange.Parse(text).ToString(), Is.EqualTo(text));

    [TestCase("131.0.72.0/222400:cb00::/32")]
    [TestCase("131.0.72.0/22 2400:cb00::/32")]
    [TestCase("131.0.72.0/33")]
    [TestCase("131.0.72.0/022")]
    [TestCase("131.0.72.0/+22")]
    [TestCase("131.0.72.0/")]
    [TestCase("131.0.72.1/22")]
    [TestCase("131.0.72/22")]
    [TestCase("0131.0.72.0/22")]
    [TestCase("0x83.0.72.0/22")]
    [TestCase("2199000000")]
    [TestCase("2400:cb00::/129")]
    [TestCase("2400:cb00::1/32")]
    [TestCase("fe80::1%eth0")]
    [TestCase("[2400:cb00::]/32")]
    [TestCase("any")]
    [TestCase("")]
    public void Should_refuse_a_range_When_programs_could_read_it_differently(string text) =>
        Assert.That(AddressRange.TryParse(text, out _), Is.False);

    [Test]
    public void Should_cover_exactly_its_first_to_its_last_address_When_ranges_are_compared()
    {
        var random = new Random(1);
        for (var i = 0; i < 5000; i++)
        {
            var (one, other) = (RangeOf(random), RangeOf(random));
            var (first, last) = Span(one);
            var (otherFirst, otherLast) = Span(other);

            Assert.That(one.Covers(other), Is.EqualTo(one.IsV6 == other.IsV6 && first <= otherFirst && otherLast <= last), $"{one} {other}");
            Assert.That(one.Overlaps(other), Is.EqualTo(one.IsV6 == other.IsV6 && first <= otherLast && otherFirst <= last), $"{one} {other}");
            Assert.That(AddressRange.Parse(one.ToString()), Is.EqualTo(one));
        }
    }

    // Few bits differ, so that ranges meet often.
    internal static AddressRange RangeOf(Random random)
    {
        var v6 = random.Next(4) == 0;
        var bytes = new byte[v6 ? 16 : 4];
        bytes[0] = (byte)(v6 ? 0x20 : 10);
        bytes[1] = (byte)random.Next(4);
        var length = random.Next(8, 19);
        var mask = length >= 16 ? 0xFF : 0xFF << (16 - length);
        bytes[1] = (byte)(bytes[1] & mask);
        return new AddressRange(new IPNetwork(new IPAddress(bytes), length));
    }

    private static (BigInteger First, BigInteger Last) Span(AddressRange range)
    {
        var bits = range.IsV6 ? 128 : 32;
        var first = new BigInteger(range.Network.BaseAddress.GetAddressBytes(), isUnsigned: true, isBigEndian: true);
        return (first, first + BigInteger.Pow(2, bits - range.Network.PrefixLength) - 1);
    }
}
