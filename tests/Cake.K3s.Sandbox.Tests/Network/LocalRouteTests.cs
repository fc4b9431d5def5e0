using System.Net;
using Cake.K3s.Sandbox.Network;

namespace Cake.K3s.Sandbox.Tests.Network;

public sealed class LocalRouteTests
{
    [Test]
    public void Should_Ask_For_A_Local_Route_Of_The_Loopback_When_A_Subnet_Is_Added() =>
        // As `ip route add local 10.43.0.0/16 dev lo` sends it (strace), but for the protocol.
        Assert.That(
            Convert.ToHexString(LocalRoute.Message(24, 0x400, IPNetwork.Parse("10.43.0.0/16"))),
            Is.EqualTo("2C000000" + "1800" + "0504" + "01000000" + "00000000" + "02100000FF04FE02" + "00000000" + "08000100" + "0A2B0000" + "08000400" + "01000000"));
}
