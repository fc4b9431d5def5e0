using Cake.Core;

namespace Cake.Frosting.Tests;

public sealed class OrderTests : HostTest
{
    [Test]
    public void Should_Run_The_Dependencies_Of_Default_First_When_No_Target_Is_Given()
    {
        var exitCode = Host(typeof(Default), typeof(B), typeof(A)).Run([]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.EqualTo([nameof(A), nameof(B), nameof(Default)]));
    }

    [TestCase("--target=b")]
    [TestCase("--target", "B")]
    [TestCase("-t", "B")]
    [TestCase("--Target=B")]
    public void Should_Run_The_Target_When_It_Is_Named(params string[] args)
    {
        Host(typeof(Default), typeof(A), typeof(B)).Run(args);

        Assert.That(Journal.Entries, Is.EqualTo([nameof(A), nameof(B)]));
    }

    [Test]
    public void Should_Run_A_Shared_Dependency_Once_When_There_Are_Several_Targets()
    {
        Host(typeof(A), typeof(B), typeof(C)).Run(["--target=C", "--target=B"]);

        Assert.That(Journal.Entries, Is.EquivalentTo([nameof(A), nameof(C), nameof(B)]));
        Assert.That(Journal.Entries[0], Is.EqualTo(nameof(A)));
    }

    [Test]
    public void Should_Run_A_Dependee_Before_The_Task_That_It_Names()
    {
        Host(typeof(A), typeof(BeforeA)).Run(["--target=A"]);

        Assert.That(Journal.Entries, Is.EqualTo([nameof(BeforeA), nameof(A)]));
    }

    [Test]
    public void Should_Wait_For_An_Asynchronous_Task()
    {
        Host(typeof(Slow), typeof(AfterSlow)).Run(["--target=AfterSlow"]);

        Assert.That(Journal.Entries, Is.EqualTo(["slow ended", nameof(AfterSlow)]));
    }

    [Test]
    public void Should_Run_Only_The_Target_When_It_Is_Exclusive()
    {
        Host(typeof(Default), typeof(A), typeof(B)).Run(["--target=B", "--exclusive"]);

        Assert.That(Journal.Entries, Is.EqualTo([nameof(B)]));
    }

    [Test]
    public void Should_Run_The_Dependencies_Of_The_Base_Class_First_When_A_Task_Is_Derived()
    {
        Host(typeof(A), typeof(DerivedFromB)).Run(["--target=DerivedFromB"]);

        Assert.That(Journal.Entries, Is.EqualTo([nameof(A), nameof(DerivedFromB)]));
    }

    [Test]
    public void Should_Skip_A_Task_That_Is_Not_Needed_And_Run_What_Depends_On_It()
    {
        var exitCode = Host(typeof(NotNeeded), typeof(AfterNotNeeded)).Run(["--target=AfterNotNeeded", "--verbosity=verbose"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.EqualTo([nameof(AfterNotNeeded)]));
        Assert.That(Console.Output, Does.Contain("Skipping task: nothing changed"));
    }

    [Test]
    public void Should_Fail_With_The_Reason_When_The_Target_Is_Not_Needed()
    {
        var exitCode = Host(typeof(NotNeeded)).Run(["--target=NotNeeded"]);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(Console.Error, Does.Contain("Could not reach target 'NotNeeded' since it was skipped due to a criteria: nothing changed."));
    }

    [Test]
    public void Should_Use_The_Declared_Reason_When_The_Class_Lists_The_Interface_Again()
    {
        Host(typeof(NotNeededAsWithThePackage)).Run(["--target=NotNeededAsWithThePackage"]);

        Assert.That(Console.Error, Does.Contain("due to a criteria: nothing to do."));
    }

    [Test]
    public void Should_Run_A_Task_That_Has_No_Base_Class()
    {
        Host(typeof(Bare)).Run(["--target=Bare"]);

        Assert.That(Journal.Entries, Is.EqualTo(["Bare", "Bare finally"]));
    }

    [Test]
    public void Should_Run_Again_When_The_Host_Is_Asked_Twice()
    {
        var host = Host(typeof(A));
        host.Run(["--target=A"]);

        Assert.That(host.Run(["--target=A"]), Is.Zero);
        Assert.That(Journal.Entries, Is.EqualTo([nameof(A), nameof(A)]));
    }

    [IsDependentOn(typeof(B))]
    public sealed class Default(Journal journal) : Entered(journal);

    public sealed class A(Journal journal) : Entered(journal);

    [IsDependentOn(typeof(A))]
    public class B(Journal journal) : Entered(journal);

    [IsDependentOn(typeof(A))]
    public sealed class C(Journal journal) : Entered(journal);

    public sealed class DerivedFromB(Journal journal) : B(journal);

    [IsDependeeOf(typeof(A))]
    public sealed class BeforeA(Journal journal) : Entered(journal);

    public sealed class Slow(Journal journal) : AsyncFrostingTask
    {
        public override async Task RunAsync(ICakeContext context)
        {
            await Task.Yield();
            journal.Add("slow ended");
        }
    }

    [IsDependentOn(typeof(Slow))]
    public sealed class AfterSlow(Journal journal) : Entered(journal);

    public sealed class NotNeeded(Journal journal) : Entered(journal)
    {
        public string SkippedMessage { get; } = "nothing changed";

        public override bool ShouldRun(ICakeContext context) => false;
    }

    public sealed class NotNeededAsWithThePackage : FrostingTask, IFrostingTask
    {
        public string SkippedMessage { get; } = "nothing to do";

        public override bool ShouldRun(ICakeContext context) => false;
    }

    [IsDependentOn(typeof(NotNeeded))]
    public sealed class AfterNotNeeded(Journal journal) : Entered(journal);

    public sealed class Bare(Journal journal) : IFrostingTask
    {
        public Task RunAsync(ICakeContext context)
        {
            journal.Add("Bare");
            return Task.CompletedTask;
        }

        public bool ShouldRun(ICakeContext context) => true;

        public void OnError(Exception exception, ICakeContext context) => journal.Add("Bare error");

        public void Finally(ICakeContext context) => journal.Add("Bare finally");
    }
}
