using Cake.K3s.Sandbox.Network;

namespace Cake.K3s.Sandbox.Tests.Network;

public sealed class NetworkDevicesTests
{
    [Test]
    public void Should_look_again_When_the_list_changed_amid_it()
    {
        var looks = 0;

        Assert.That(NetworkDevices.Listed(() => ++looks < 3 ? throw new ArgumentException("An invalid IP address was specified.") : looks), Is.EqualTo(3));
    }

    [Test]
    public void Should_fail_When_it_cannot_be_listed_at_all() =>
        Assert.That(() => NetworkDevices.Listed<int>(() => throw new ArgumentException("none")), Throws.ArgumentException);
}
