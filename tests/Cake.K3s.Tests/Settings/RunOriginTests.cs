using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Settings;

public sealed class RunOriginTests
{
    [Test]
    public void Should_NameUserAndMachine_When_OutsideCi() =>
        Assert.That(RunOrigin.From(new EnvironmentVariables(_ => null), "ann", "laptop"), Is.EqualTo(new RunOrigin("ann@laptop", null)));

    [TestCase("true", "https://git.example.com/me/shop/actions/runs/12")]
    [TestCase(null, "https://git.example.com/me/shop/actions/runs/3456")]
    public void Should_NameActorAndRun_When_InActions(string? gitea, string run)
    {
        var variables = new Dictionary<string, string?>
        {
            ["GITEA_ACTIONS"] = gitea,
            ["GITHUB_SERVER_URL"] = "https://git.example.com/",
            ["GITHUB_REPOSITORY"] = "me/shop",
            ["GITHUB_RUN_NUMBER"] = "12",
            ["GITHUB_RUN_ID"] = "3456",
            ["GITHUB_ACTOR"] = "ann",
        };

        Assert.That(RunOrigin.From(new EnvironmentVariables(variables.GetValueOrDefault), "root", "runner"), Is.EqualTo(new RunOrigin("ann@runner", run)));
    }
}
