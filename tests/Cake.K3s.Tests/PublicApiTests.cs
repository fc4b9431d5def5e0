using Cake.K3s.Tasks;
using Cake.K3s.Tests.Fixtures;
using PublicApiGenerator;

namespace Cake.K3s.Tests;

/// <summary>What other builds compile against changes only where somebody means it to: PublicApi.txt is changed with it.</summary>
public sealed class PublicApiTests
{
    [Test]
    public void Should_HaveTheMembersThatWereApproved()
    {
        var actual = typeof(K3sContext).Assembly.GeneratePublicApi(new ApiGeneratorOptions { IncludeAssemblyAttributes = false }).ReplaceLineEndings("\n").Trim();
        var file = Path.Combine(TestContext.CurrentContext.WorkDirectory, "PublicApi.txt");
        File.WriteAllText(file, actual + "\n");

        Assert.That(
            actual.Split('\n'),
            Is.EqualTo(File.ReadAllText(SourceTree.File("tests/Cake.K3s.Tests/PublicApi.txt")).Trim().Split('\n')),
            $"if the change is meant: cp {file} tests/Cake.K3s.Tests/PublicApi.txt");
    }
}
