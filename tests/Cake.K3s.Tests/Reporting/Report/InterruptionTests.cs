using Cake.K3s.Reporting.Report;

namespace Cake.K3s.Tests.Reporting.Report;

public sealed class InterruptionTests
{
    [Test]
    public void Should_Say_Where_It_Stopped_And_How_To_Go_On()
    {
        var ended = Interruption.Of(Run(null, ("Lint", "Succeeded"), ("BuildImage", "Cancelled"), ("Push", "NotRun")));

        Assert.That(ended.ExitCode, Is.EqualTo(130));
        Assert.That(ended.Details, Is.EqualTo(["interrupted in BuildImage", "done before: Lint", "not begun: Push", "nothing was changed in the cluster"]));
        Assert.That(ended.NextStep, Is.EqualTo("./build.sh --target=Deploy --environment=production goes on from there"));
    }

    [TestCase("Pending", "release 7 is recorded, and 1 object of it applied")]
    [TestCase("Applied", "whether it serves is not known, and nothing was rolled back")]
    [TestCase("Failed", "its rollback may not be complete")]
    public void Should_Say_How_Far_The_Release_Is(string state, string expected)
    {
        var ended = Interruption.Of(Run(new(7, state, null, false, "ann", null, null)) with
        {
            Changes = [new(default, "ConfigMap", "shop", "settings", Cake.K3s.Reporting.ObjectChange.Created, [])],
        });

        Assert.That(ended.Details[^1], Does.Contain(expected));
        Assert.That(ended.NextStep, Does.Contain("--target=Rollback --environment=production"));
    }

    [Test]
    public void Should_Say_That_A_Migration_Runs_On() =>
        Assert.That(Interruption.Of(Run(null, ("Migrate", "Cancelled"))).Details[^1], Does.Contain("runs on there"));

    private static RunRecord Run(ReleaseRecord? release, params (string Name, string State)[] tasks) => new()
    {
        Target = "Deploy",
        Environment = "production",
        Release = release,
        Tasks = [.. tasks.Select(task => new TaskRecord(task.Name, task.State, null, 0, null, [], 0))],
    };
}
