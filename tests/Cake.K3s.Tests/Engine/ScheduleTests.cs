using Cake.K3s.Engine;

namespace Cake.K3s.Tests.Engine;

public sealed class ScheduleTests
{
    [Test]
    public void Should_Start_All_That_Depends_On_Nothing() =>
        Assert.That(Schedule(["A", "B", "C"], [("C", "A")]).Start(), Is.EqualTo(["A", "B"]));

    [Test]
    public void Should_Start_A_Task_When_All_That_It_Depends_On_Is_Complete()
    {
        var schedule = Schedule(["A", "B", "C"], [("C", "A"), ("C", "B")]);
        schedule.Start();

        schedule.Complete("A");
        Assert.That(schedule.Start(), Is.Empty);

        schedule.Complete("B");
        Assert.That(schedule.Start(), Is.EqualTo(["C"]));
    }

    [Test]
    public void Should_Start_What_Does_Not_Depend_On_A_Failed_Task()
    {
        var schedule = Schedule(["A", "B", "AfterA", "AfterB"], [("AfterA", "A"), ("AfterB", "B")]);
        schedule.Start();
        schedule.Fail("A");
        schedule.Complete("B");

        Assert.That(schedule.Start(), Is.EqualTo(["AfterB"]));
    }

    [Test]
    public void Should_Start_Nothing_When_It_Was_Stopped()
    {
        var schedule = Schedule(["A", "B"], [("B", "A")]);
        schedule.Start();
        schedule.Stop();
        schedule.Complete("A");

        Assert.That(schedule.Start(), Is.Empty);
    }

    [Test]
    public void Should_Start_Nothing_Beside_A_Task_That_Runs_Alone()
    {
        var schedule = Schedule(["Alone", "B"], [], "Alone");

        Assert.That(schedule.Start(), Is.EqualTo(["Alone"]));
        Assert.That(schedule.Start(), Is.Empty);

        schedule.Complete("Alone");
        Assert.That(schedule.Start(), Is.EqualTo(["B"]));
    }

    [Test]
    public void Should_Hold_Back_Later_Tasks_When_One_Waits_To_Run_Alone()
    {
        var schedule = Schedule(["A", "Alone", "B"], [], "Alone");

        Assert.That(schedule.Start(), Is.EqualTo(["A"]));

        schedule.Complete("A");
        Assert.That(schedule.Start(), Is.EqualTo(["Alone"]));
    }

    private static Schedule Schedule(string[] order, (string Task, string Dependency)[] dependencies, params string[] alone) =>
        new(order, dependencies.ToLookup(pair => pair.Task, pair => pair.Dependency), alone.ToHashSet());
}
