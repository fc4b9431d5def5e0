using Cake.K3s.IntegrationTests.Sandbox;
using CliWrap.Buffered;

namespace Cake.K3s.IntegrationTests.BuildScript;

/// <summary>Where the projects look for Cake's engine.</summary>
public sealed class PackageFolderTests
{
    // NUGET_PACKAGES gives the folder as somebody wrote it.
    [TestCase("/packages")]
    [TestCase("/packages/")]
    public async Task Should_LookBelowTheFolderOfPackages_When_ItIsElsewhere(string folder)
    {
        var evaluated = await CliWrap.Cli.Wrap("dotnet")
            .WithArguments(["msbuild", Path.Combine(TestSandbox.RepositoryRoot, "build/Cake.Frosting/Cake.Frosting.csproj"), "-getProperty:CakeToolDirectory", "-p:NuGetPackageRoot=" + folder])
            .ExecuteBufferedAsync();

        Assert.That(evaluated.StandardOutput, Does.StartWith("/packages/cake.tool/"));
    }
}
