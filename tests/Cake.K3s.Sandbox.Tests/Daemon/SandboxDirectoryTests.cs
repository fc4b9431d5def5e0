using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Tests.Daemon;

[TestFixture]
internal sealed class SandboxDirectoryTests
{
    // unix(7): 108 bytes with the closing zero; what containerd appends to its runtime directory is the longest.
    private const int LongestSocketPath = 107;
    private const string LongestSuffix = "/containerd/containerd.sock.ttrpc";

    [Test]
    public void Should_KeepSocketPathsShort_When_TheSandboxLiesDeep()
    {
        var directory = new SandboxDirectory("/" + new string('a', 200) + "/.sandbox");

        Assert.That((directory.EngineRuntime + LongestSuffix).Length, Is.LessThanOrEqualTo(LongestSocketPath));
        Assert.That(directory.Bridge.Length, Is.LessThanOrEqualTo(15));
    }

    [Test]
    public void Should_ShareNoNameOfTheMachine_When_TwoSandboxesLieApart()
    {
        var (one, other) = (new SandboxDirectory("/a/.sandbox"), new SandboxDirectory("/b/.sandbox"));

        Assert.That(other.Bridge, Is.Not.EqualTo(one.Bridge));
        Assert.That(other.Runtime, Is.Not.EqualTo(one.Runtime));
        Assert.That(other.CgroupParent, Is.Not.EqualTo(one.CgroupParent));
    }
}
