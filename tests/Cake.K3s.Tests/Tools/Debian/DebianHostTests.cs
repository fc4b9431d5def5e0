using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Tests.Tools.Debian;

public sealed class DebianHostTests
{
    [TestCase("ID=debian\nVERSION_CODENAME=bookworm\n", DebianRelease.Current, ExpectedResult = "trixie")]
    [TestCase("ID=debian\nVERSION_CODENAME=bookworm\n", DebianRelease.Host, ExpectedResult = "bookworm")]
    [TestCase("ID=\"ubuntu\"\nVERSION_CODENAME='noble'\n", DebianRelease.Current, ExpectedResult = "noble")]
    public string Should_know_the_codename_of(string osRelease, DebianRelease release) => DebianHost.Parse(osRelease)!.CodenameOf(release);

    [Test]
    public void Should_know_nothing_of_a_distribution_without_releases()
    {
        Assert.That(DebianHost.Parse("ID=arch\nBUILD_ID=rolling\n"), Is.Null);
    }
}
