using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Engine;

namespace Cake.K3s.Tests.Engine;

public sealed class FollowUpsTests
{
    private static readonly ILookup<string, string> DeployIsVerified =
        new[] { ("Deploy", "Verify") }.ToLookup(pair => pair.Item1, pair => pair.Item2, StringComparer.OrdinalIgnoreCase);

    [Test]
    public void Should_Add_The_Follow_Up_When_Its_Task_Is_The_Target() =>
        Assert.That(FollowUps.Add(["deploy"], Tasks(("Deploy", []), ("Verify", ["Deploy"])), DeployIsVerified), Is.EqualTo(["deploy", "Verify"]));

    [Test]
    public void Should_Add_The_Follow_Up_When_Another_Target_Depends_On_Its_Task() =>
        Assert.That(
            FollowUps.Add(["Announce"], Tasks(("Deploy", []), ("Verify", ["Deploy"]), ("Announce", ["Deploy"])), DeployIsVerified),
            Is.EqualTo(["Announce", "Verify"]));

    [Test]
    public void Should_Add_Nothing_When_The_Task_Does_Not_Run() =>
        Assert.That(FollowUps.Add(["Build"], Tasks(("Build", []), ("Deploy", ["Build"]), ("Verify", ["Deploy"])), DeployIsVerified), Is.EqualTo(["Build"]));

    [Test]
    public void Should_Not_Add_It_Twice_When_The_Follow_Up_Is_A_Target_Too() =>
        Assert.That(
            FollowUps.Add(["Deploy", "verify"], Tasks(("Deploy", []), ("Verify", ["Deploy"])), DeployIsVerified),
            Is.EqualTo(["Deploy", "verify"]));

    [Test]
    public void Should_Follow_Follow_Ups() =>
        Assert.That(
            FollowUps.Add(
                ["A"],
                Tasks(("A", []), ("B", ["A"]), ("C", ["B"])),
                new[] { ("A", "B"), ("B", "C") }.ToLookup(pair => pair.Item1, pair => pair.Item2)),
            Is.EqualTo(["A", "B", "C"]));

    [Test]
    public void Should_Name_Both_Tasks_When_The_Follow_Up_Does_Not_Exist() =>
        Assert.That(
            () => FollowUps.Add(["Deploy"], Tasks(("Deploy", [])), DeployIsVerified),
            Throws.TypeOf<CakeException>().With.Message.EqualTo("Task 'Deploy' is followed by task 'Verify' which does not exist."));

    [Test]
    public void Should_Read_Task_Names_From_The_Attributes()
    {
        var followUps = TaskTraits.Of([typeof(First), typeof(Second)]).FollowUps;

        Assert.That(followUps["Number one"], Is.EqualTo([nameof(Second)]));
    }

    private static List<CakeTask> Tasks(params (string Name, string[] Dependencies)[] tasks) =>
        [.. tasks.Select(task =>
        {
            var cakeTask = new CakeTask(task.Name);
            cakeTask.Dependencies.AddRange(task.Dependencies.Select(dependency => new CakeTaskDependency(dependency, required: true)));
            return cakeTask;
        })];

    [TaskName("Number one")]
    [FollowedBy(typeof(Second))]
    private sealed class First : FrostingTask;

    private sealed class Second : FrostingTask;
}
