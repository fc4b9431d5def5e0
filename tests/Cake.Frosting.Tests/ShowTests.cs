using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.Tests;

/// <summary>What is shown without running anything.</summary>
public sealed class ShowTests : HostTest
{
    private static readonly Type[] Tasks = [typeof(Lint), typeof(Push), typeof(Before), typeof(Gather), typeof(Default), typeof(Alone)];

    [TestCase("--tree")]
    [TestCase("--showtree")]
    public void Should_Show_What_Depends_On_What_With_Dependees(string argument)
    {
        var exitCode = Host(Tasks).Run([argument]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Console.Output, Is.EqualTo("""

            Default
            ├─Gather
            │ └─Push it
            │   ├─Lint
            │   └─Before
            └─Lint

            Alone


            """));
    }

    [TestCase("--description")]
    [TestCase("--descriptions")]
    [TestCase("--showdescription")]
    [TestCase("--showdescriptions")]
    public void Should_List_The_Tasks_In_Order_With_Descriptions(string argument)
    {
        var exitCode = Host(typeof(Lint), typeof(Push)).Run([argument]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Console.Output, Is.EqualTo($"""

            Task                          Description
            {new string('=', 80)}
            Lint                          Checks the sources.
            Push it

            """));
    }

    [TestCase("--help", "Usage: ")]
    [TestCase("-h", "  -t, --target TASK ")]
    [TestCase("--help", "  Lint     Checks the sources.")]
    [TestCase("--help", "--environment, --settings")]
    [TestCase("--version", ".")]
    [TestCase("--ver", ".")]
    [TestCase("--info", "Version: ")]
    public void Should_Show(string argument, string expected)
    {
        var exitCode = Host(Tasks).UseCakeSetting("Frosting_KnownArguments", "environment, settings").Run([argument]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Console.Output, Does.Contain(expected));
        Assert.That(Console.Error, Is.Empty);
    }

    [TestCase("--tree")]
    [TestCase("--description")]
    [TestCase("--help")]
    [TestCase("--version")]
    [TestCase("--info")]
    public void Should_Make_No_Task_Context_Or_Lifetime(string argument)
    {
        Host([.. Tasks, typeof(Costly)]).UseContext<CostlyContext>().UseLifetime<CostlyLifetime>().InstallTool(new Uri("nowhere:?package=x")).Run([argument]);

        Assert.That(Journal.Entries, Is.Empty);
        Assert.That(Console.Error, Is.Empty);
    }

    [TestCase("--dryrun")]
    [TestCase("--noop")]
    [TestCase("--whatif")]
    public void Should_List_The_Tasks_In_Order_And_Run_Nothing_When_It_Is_A_Dry_Run(string argument)
    {
        var exitCode = Host(Tasks).UseContext<FrostingContext>().UseLifetime<CostlyLifetime>().InstallTool(new Uri("nowhere:?package=x")).Run([argument]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.Empty);
        Assert.That(Console.Output, Does.Contain("1. Lint\n2. Before\n3. Push it\n4. Gather\n5. Default\n"));
    }

    [Test]
    public void Should_List_Only_The_Target_When_A_Dry_Run_Is_Exclusive()
    {
        Host(Tasks).Run(["--dryrun", "--exclusive", "--target=Push it"]);

        Assert.That(Console.Output, Does.Contain("1. Push it\n").And.Not.Contains("2."));
    }

    [TestCase("quiet", false, false)]
    [TestCase("n", true, false)]
    [TestCase("Normal", true, false)]
    [TestCase("verbose", true, true)]
    public void Should_Write_As_Much_As_The_Verbosity_Says(string verbosity, bool information, bool verbose)
    {
        Host(typeof(Talking)).Run(["--target=Talking", "--verbosity=" + verbosity]);

        Assert.That(Console.Output.Contains("as usual"), Is.EqualTo(information));
        Assert.That(Console.Output.Contains("in detail"), Is.EqualTo(verbose));
    }

    [TaskDescription("Checks the sources.")]
    public sealed class Lint(Journal journal) : Entered(journal);

    [TaskName("Push it")]
    [IsDependentOn(typeof(Lint))]
    public sealed class Push(Journal journal) : Entered(journal);

    [IsDependeeOf(typeof(Push))]
    public sealed class Before(Journal journal) : Entered(journal);

    [IsDependentOn(typeof(Push))]
    public sealed class Gather : FrostingTask;

    [IsDependentOn(typeof(Gather))]
    [IsDependentOn(typeof(Lint))]
    public sealed class Default : FrostingTask;

    public sealed class Alone(Journal journal) : Entered(journal);

    [IsDependeeOf(typeof(Alone))]
    public sealed class Costly : FrostingTask
    {
        public Costly(Journal journal)
        {
            journal.Add("task made");
        }
    }

    public sealed class CostlyContext : FrostingContext
    {
        public CostlyContext(ICakeContext context, Journal journal)
            : base(context)
        {
            journal.Add("context made");
        }
    }

    public sealed class CostlyLifetime : FrostingLifetime
    {
        private readonly Journal _journal;

        public CostlyLifetime(Journal journal)
        {
            _journal = journal;
            _journal.Add("lifetime made");
        }

        public override void Setup(ICakeContext context, ISetupContext info) => _journal.Add("setup");

        public override void Teardown(ICakeContext context, ITeardownContext info) => _journal.Add("teardown");
    }

    public sealed class Talking : FrostingTask
    {
        public override void Run(ICakeContext context)
        {
            context.Log.Information("as usual");
            context.Log.Verbose("in detail");
        }
    }
}
