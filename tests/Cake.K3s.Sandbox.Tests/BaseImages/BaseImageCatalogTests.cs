using Cake.K3s.Sandbox.BaseImages;

namespace Cake.K3s.Sandbox.Tests.BaseImages;

[TestFixture]
internal sealed class BaseImageCatalogTests
{
    [TestCase("libssl3")]
    [TestCase("libssl3t64")]
    public void Should_KeepTheLibraryUnderEitherName_When_ReleasesDiffer(string package)
    {
        Assert.That(BaseImageCatalog.All["aspnet"].Keeps(package), Is.True);
    }

    [TestCase("aspnet", "perl-base")]
    [TestCase("aspnet", "openssl")]
    [TestCase("aspnet", "debconf")]
    [TestCase("redis", "adduser")]
    public void Should_LeaveOut_When_APackageIsForInstallingAlone(string image, string package)
    {
        Assert.That(BaseImageCatalog.All[image].Keeps(package), Is.False);
    }

    [Test]
    public void Should_TellMakingsApart_When_TheRuntimeIsAnotherVersion()
    {
        Assert.That(BaseImageCatalog.All["aspnet"].Recipe, Is.EqualTo(Environment.Version.ToString(3)));
    }
}
