using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.Tests.Daemon;

[TestFixture]
internal sealed class DaemonOptionsTests
{
    [TestCase(null, null)]
    [TestCase("unix:///a=b.sock", 4711)]
    public void Should_ReadWhatItWrites_When_GivenEveryOption(string? dockerHost, int? owner)
    {
        var options = new DaemonOptions(
            new SandboxDirectory("/some/where=odd/.sandbox"),
            "/some/where=odd/.tools",
            new SandboxSettings { IngressPort = 1, ApiPort = 2, RegistryPort = 3 },
            dockerHost,
            owner);

        Assert.That(DaemonOptions.Parse([.. options.ToArguments()]), Is.EqualTo(options));
    }

    [TestCase("serve")]
    [TestCase("serve", "--directory=/a")]
    [TestCase("other", "--directory=/a", "--tools=/b")]
    public void Should_GiveNothing_When_TheyAreNotADaemons(params string[] arguments)
    {
        Assert.That(DaemonOptions.Parse(arguments), Is.Null);
    }
}
