using System.Net;
using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.Sandbox.Tests.Engine;

[TestFixture]
internal sealed class FreeSubnetTests
{
    [Test]
    public void Should_TakeTheFirstFromTheStart_When_NothingIsInUse()
    {
        Assert.That(FreeSubnet.ForPods([], start: 7), Is.EqualTo(IPNetwork.Parse("10.201.7.0/24")));
    }

    [Test]
    public void Should_PassOver_When_ARouteOverlaps()
    {
        var chosen = FreeSubnet.ForPods([IPNetwork.Parse("10.201.7.128/25"), IPNetwork.Parse("10.201.8.0/23")], start: 7);

        Assert.That(chosen, Is.EqualTo(IPNetwork.Parse("10.201.10.0/24")));
    }

    [Test]
    public void Should_TakeTheOtherRange_When_AVpnHasAllOfTen()
    {
        Assert.That(FreeSubnet.ForPods([IPNetwork.Parse("10.0.0.0/8")], start: 255), Is.EqualTo(IPNetwork.Parse("172.29.255.0/24")));
    }

    [Test]
    public void Should_Fail_When_NothingIsFree()
    {
        Assert.That(
            () => FreeSubnet.ForPods([IPNetwork.Parse("10.0.0.0/8"), IPNetwork.Parse("172.16.0.0/12")], start: 0),
            Throws.InstanceOf<K3sException>().With.Property("ExitCode").EqualTo(ExitCodes.RequirementMissing));
    }

    [TestCase(0, "10.43.0.0/20")]
    [TestCase(17, "10.43.16.0/20")]
    public void Should_TakeAPartOfK3sRange_When_ItIsForServices(int start, string expected)
    {
        Assert.That(FreeSubnet.ForServices([], start), Is.EqualTo(IPNetwork.Parse(expected)));
    }

    [Test]
    public void Should_LeaveK3sRange_When_ARealClusterHasAllOfIt()
    {
        Assert.That(FreeSubnet.ForServices([IPNetwork.Parse("10.43.0.0/16")], start: 0), Is.EqualTo(IPNetwork.Parse("10.143.0.0/20")));
    }

    [Test]
    public void Should_ReadDestinationsAndLeaveOutTheDefault_When_GivenAKernelsTable()
    {
        string[] table =
        [
            "Main:",
            "  +-- 0.0.0.0/0 3 0 4",
            "     +-- 0.0.0.0/4 2 0 2",
            "        |-- 0.0.0.0",
            "           /0 universe UNICAST",
            "           |-- 10.43.0.0",
            "              /16 host LOCAL",
            "                    |-- 172.31.250.0",
            "                       /25 link UNICAST",
            "                       /32 link BROADCAST",
        ];

        Assert.That(FreeSubnet.RoutesOf(table), Is.EqualTo(new[]
        {
            IPNetwork.Parse("10.43.0.0/16"), IPNetwork.Parse("172.31.250.0/25"), IPNetwork.Parse("172.31.250.0/32"),
        }));
    }
}
