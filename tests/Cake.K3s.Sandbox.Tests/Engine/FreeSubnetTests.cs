using System.Net;
using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.Sandbox.Tests.Engine;

[TestFixture]
internal sealed class FreeSubnetTests
{
    [Test]
    public void Should_TakeTheFirstFromTheStart_When_NothingIsInUse()
    {
        Assert.That(FreeSubnet.Choose([], start: 7), Is.EqualTo(IPNetwork.Parse("10.201.7.0/24")));
    }

    [Test]
    public void Should_PassOver_When_ARouteOverlaps()
    {
        var chosen = FreeSubnet.Choose([IPNetwork.Parse("10.201.7.128/25"), IPNetwork.Parse("10.201.8.0/23")], start: 7);

        Assert.That(chosen, Is.EqualTo(IPNetwork.Parse("10.201.10.0/24")));
    }

    [Test]
    public void Should_TakeTheOtherRange_When_AVpnHasAllOfTen()
    {
        Assert.That(FreeSubnet.Choose([IPNetwork.Parse("10.0.0.0/8")], start: 255), Is.EqualTo(IPNetwork.Parse("172.29.255.0/24")));
    }

    [Test]
    public void Should_Fail_When_NothingIsFree()
    {
        Assert.That(
            () => FreeSubnet.Choose([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12")], start: 0),
            Throws.InstanceOf<K3sException>().With.Property("ExitCode").EqualTo(ExitCodes.RequirementMissing));
    }

    [Test]
    public void Should_ReadDestinationsAndLeaveOutTheDefault_When_GivenAKernelsTable()
    {
        string[] table =
        [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            "eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0",
            "docker0\t00FA1FAC\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
        ];

        Assert.That(FreeSubnet.RoutesOf(table), Is.EqualTo(new[] { IPNetwork.Parse("172.31.250.0/24") }));
    }
}
