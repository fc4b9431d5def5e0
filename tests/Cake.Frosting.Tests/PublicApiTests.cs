using PublicApiGenerator;

namespace Cake.Frosting.Tests;

/// <summary>PublicApi.txt is the public API of the Cake.Frosting package itself: builds must compile with either.</summary>
public sealed class PublicApiTests
{
    [Test]
    public void Should_Have_The_Members_Of_The_Package()
    {
        var options = new ApiGeneratorOptions { IncludeAssemblyAttributes = false };
        var actual = typeof(CakeHost).Assembly.GeneratePublicApi(options).ReplaceLineEndings("\n");
        var package = File.ReadAllText(Path.Combine(TestContext.CurrentContext.TestDirectory, "PublicApi.txt")).ReplaceLineEndings("\n");

        Assert.That(actual.Trim(), Is.EqualTo(package.Trim()), actual);
    }
}
