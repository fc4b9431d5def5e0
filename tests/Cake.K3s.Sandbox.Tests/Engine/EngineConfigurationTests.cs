using System.Net;
using System.Text.Json;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.Sandbox.Tests.Engine;

[TestFixture]
internal sealed class EngineConfigurationTests
{
    private static readonly SandboxDirectory Directory = new("/app/.sandbox");

    [Test]
    public void Should_ShareNothingWithAnotherEngine_When_BothRun()
    {
        var settings = Read(onOverlay: false);

        Assert.That(settings.GetProperty("bridge").GetString(), Is.EqualTo(Directory.Bridge));
        Assert.That(settings.GetProperty("hosts")[0].GetString(), Is.EqualTo("unix://" + Directory.EngineSocket));
        Assert.That(settings.GetProperty("cgroup-parent").GetString(), Is.EqualTo(Directory.CgroupParent));
        foreach (var path in (string[])["data-root", "exec-root", "pidfile"])
        {
            Assert.That(settings.GetProperty(path).GetString(), Does.StartWith(Directory.Root).Or.StartsWith(Directory.Runtime));
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void Should_CopyInsteadOfStack_When_TheDataLieOnAnOverlay(bool onOverlay)
    {
        Assert.That(Read(onOverlay).TryGetProperty("storage-driver", out _), Is.EqualTo(onOverlay));
    }

    [Test]
    public void Should_SplitTheAddressesInHalves_When_ItIsPrivate()
    {
        var engine = EngineSelection.Private(Directory, IPNetwork.Parse("10.201.7.0/24"));

        Assert.That(engine.Gateway, Is.EqualTo(IPAddress.Parse("10.201.7.1")));
        Assert.That(engine.Subnet, Is.EqualTo(IPNetwork.Parse("10.201.7.0/25")));
    }

    private static JsonElement Read(bool onOverlay) =>
        JsonDocument.Parse(EngineConfiguration.Write(Directory, IPNetwork.Parse("10.201.7.128/25"), onOverlay)).RootElement;
}
