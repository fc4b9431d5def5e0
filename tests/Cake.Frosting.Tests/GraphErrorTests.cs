using Cake.Core;

namespace Cake.Frosting.Tests;

public sealed class GraphErrorTests : HostTest
{
    [TestCase("--target=Deplyo", "The target 'Deplyo' was not found. Did you mean 'Deploy'?")]
    [TestCase("--target=Xyzzyx", "The target 'Xyzzyx' was not found. --description lists the tasks.")]
    public void Should_Name_The_Nearest_Task_When_The_Target_Does_Not_Exist(string argument, string message)
    {
        var exitCode = Host(typeof(Deploy)).UseLifetime<Lifetime>().UseContext<CountedContext>().Run([argument]);

        Assert.That(exitCode, Is.EqualTo(2));
        Assert.That(Console.Error, Does.Contain("Error: " + message));
        Assert.That(Journal.Entries, Is.Empty, "nothing was made");
    }

    [TestCase(new[] { typeof(Circle1), typeof(Circle2), typeof(Circle3) }, "Tasks depend on each other in a circle: Circle1 -> Circle2 -> Circle3 -> Circle1.")]
    [TestCase(new[] { typeof(Pair1), typeof(Pair2) }, "Tasks depend on each other in a circle: Pair1 -> Pair2 -> Pair1.")]
    [TestCase(new[] { typeof(Self) }, "Tasks depend on each other in a circle: Self -> Self.")]
    [TestCase(new[] { typeof(OnNoTask) }, "Task 'OnNoTask' is dependent on task 'DateTime', but the class System.DateTime is not a valid task.")]
    [TestCase(new[] { typeof(OnMissing) }, "Task 'OnMissing' is dependent on task 'Deploy' which does not exist. Add its assembly with AddAssembly(typeof(Deploy).Assembly).")]
    [TestCase(new[] { typeof(BeforeMissing) }, "Task 'BeforeMissing' has specified that it's a dependency for task 'Deploy' which does not exist.")]
    [TestCase(new[] { typeof(Deploy), typeof(AlsoDeploy) }, "Another task with the name 'deploy' has already been added")]
    public void Should_Name_The_Tasks_When_The_Graph_Is_Wrong(Type[] tasks, string message)
    {
        foreach (var args in new string[][] { ["--target=" + tasks[0].Name], ["--tree"], ["--description"], ["--dryrun", "--target=" + tasks[0].Name] })
        {
            Assert.That(Host(tasks).Run(args), Is.EqualTo(1), args[0]);
            Assert.That(Console.Error, Does.Contain("Error: " + message), args[0]);
            MakeHost();
        }
    }

    [Test]
    public void Should_Accept_A_Dependency_That_Is_Named_Twice()
    {
        Host(typeof(Deploy), typeof(OnDeployTwice)).Run(["--target=OnDeployTwice"]);

        Assert.That(Journal.Entries, Is.EqualTo(["Deploy task made", nameof(OnDeployTwice)]));
    }

    public sealed class Deploy : FrostingTask
    {
        public Deploy(Journal journal)
        {
            journal.Add("Deploy task made");
        }
    }

    [TaskName("deploy")]
    public sealed class AlsoDeploy : FrostingTask;

    [IsDependentOn(typeof(Circle2))]
    public sealed class Circle1 : FrostingTask;

    [IsDependentOn(typeof(Circle3))]
    public sealed class Circle2 : FrostingTask;

    [IsDependentOn(typeof(Circle1))]
    public sealed class Circle3 : FrostingTask;

    [IsDependentOn(typeof(Pair2))]
    public sealed class Pair1 : FrostingTask;

    [IsDependentOn(typeof(Pair1))]
    public sealed class Pair2 : FrostingTask;

    [IsDependentOn(typeof(Self))]
    public sealed class Self : FrostingTask;

    [IsDependentOn(typeof(DateTime))]
    public sealed class OnNoTask : FrostingTask;

    [IsDependentOn(typeof(Deploy))]
    public sealed class OnMissing : FrostingTask;

    [IsDependeeOf(typeof(Deploy))]
    public sealed class BeforeMissing : FrostingTask;

    [IsDependentOn(typeof(Deploy))]
    [IsDependentOn(typeof(Deploy))]
    public sealed class OnDeployTwice(Journal journal) : Entered(journal);

    public sealed class CountedContext : FrostingContext
    {
        public CountedContext(ICakeContext context, Journal journal)
            : base(context)
        {
            journal.Add("context made");
        }
    }

    public sealed class Lifetime(Journal journal) : FrostingLifetime
    {
        public override void Setup(ICakeContext context, ISetupContext info) => journal.Add("setup");

        public override void Teardown(ICakeContext context, ITeardownContext info) => journal.Add("teardown");
    }
}
