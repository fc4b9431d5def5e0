using Cake.K3s.Sandbox.Engine;

namespace Cake.K3s.Sandbox.Tests.Engine;

[TestFixture]
internal sealed class MountsTests
{
    private static readonly string[] Mountinfo =
    [
        "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw",
        "30 22 0:26 / /sys/fs/cgroup/memory rw,nosuid - cgroup cgroup rw,memory",
        "31 22 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw",
        "40 22 0:40 / /run/box/a rw - overlay overlay rw",
        @"41 40 0:41 / /run/box/a/with\040space rw shared:7 - tmpfs tmpfs rw",
        "42 22 0:42 / /run/box2 rw - tmpfs tmpfs rw",
    ];

    [Test]
    public void Should_GiveTheLastMountedFirst_When_OneLiesInAnother()
    {
        Assert.That(Mounts.Below(Mountinfo, ["/run/box"]), Is.EqualTo(new[] { "/run/box/a/with space", "/run/box/a" }));
    }

    [Test]
    public void Should_FindHierarchies_When_BothVersionsAreMounted()
    {
        Assert.That(ControlGroups.Hierarchies(Mountinfo), Is.EqualTo(new[] { "/sys/fs/cgroup/memory", "/sys/fs/cgroup/unified" }));
    }
}
