using Cake.Cli;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.K3s.Engine;
using Cake.K3s.Reporting;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Engine;

/// <summary>What is told of tasks, whichever way they are run.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class TaskEventsTests
{
    private readonly RecordingReporter _reporter = new();
    private readonly CurrentTask _current = new();

    [TestCase(true)]
    [TestCase(false)]
    public async Task Should_Tell_Of_Every_Task_That_Runs(bool sequential)
    {
        var engine = Engine(sequential);
        engine.RegisterTask("Done").Does(() => Task.CompletedTask);
        engine.RegisterTask("Skipped").WithCriteria(false, "nothing changed").Does(() => Task.CompletedTask);
        engine.RegisterTask("Failing").IsDependentOn("Done").IsDependentOn("Skipped").Does(_ => throw new K3sException(4, "the lock is held"));
        engine.RegisterTask("Never").IsDependentOn("Failing").Does(() => Task.CompletedTask);

        await RunAsync(engine, "Never");

        Assert.That(
            _reporter.Events.OfType<TaskStarted>().Select(task => task.Name), Is.EquivalentTo(["Done", "Skipped", "Failing"]));
        Assert.That(
            _reporter.Events.OfType<TaskEnded>().Select(task => (task.Name, task.Outcome, task.Reason)),
            Is.EquivalentTo([
                ("Done", TaskOutcome.Succeeded, null),
                ("Skipped", TaskOutcome.Skipped, "nothing changed"),
                ("Failing", TaskOutcome.Failed, "the lock is held")]));
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Should_Know_The_Task_That_Reports(bool sequential)
    {
        List<string> seen = [];
        var engine = Engine(sequential);
        engine.RegisterTask("First").Does(_ => NoteAsync());
        engine.RegisterTask("Second").Does(_ => NoteAsync());
        engine.RegisterTask("Both").IsDependentOn("First").IsDependentOn("Second");

        await RunAsync(engine, "Both");

        Assert.That(seen, Is.EquivalentTo(["First", "Second"]));
        Assert.That(_current.Name, Is.Null);

        async Task NoteAsync()
        {
            await Task.Run(() =>
            {
                lock (seen)
                {
                    seen.Add(_current.Name!);
                }
            });
        }
    }

    [Test]
    public async Task Should_Tell_Of_A_Task_That_Was_Cancelled()
    {
        var engine = Engine(sequential: false);
        engine.RegisterTask("Endless").Does(_ => throw new OperationCanceledException());

        await RunAsync(engine, "Endless");

        Assert.That(_reporter.Events.OfType<TaskEnded>().Single().Outcome, Is.EqualTo(TaskOutcome.Cancelled));
    }

    [Test]
    public async Task Should_Tell_Nothing_When_It_Is_A_Dry_Run()
    {
        var log = new CakeBuildLog(new RecordingConsole());
        var engine = Engine(sequential: false);
        engine.RegisterTask("Deploy").Does(() => Task.CompletedTask);

        await new DryRunScriptHost<ICakeContext>(engine, new StubContext(log), log).RunTargetAsync("Deploy");

        Assert.That(_reporter.Events, Is.Empty);
    }

    private PipelineEngine Engine(bool sequential)
    {
        var console = new TaskConsole(new RecordingConsole());
        return new(
            new NoData(),
            new CakeBuildLog(console),
            console,
            () => TaskTraits.Of([]),
            () => new(sequential, FailFast: false, () => { }, CancellationToken.None, _reporter, _current));
    }

    private static async Task RunAsync(PipelineEngine engine, string target)
    {
        var console = new RecordingConsole();
        var log = new CakeBuildLog(console);
        var strategy = new DefaultExecutionStrategy(log, new CakeReportPrinter(console, new StubContext(log)));
        try
        {
            await engine.RunTargetAsync(new StubContext(log), strategy, new ExecutionSettings().SetTarget(target));
        }
        catch (CakeReportException)
        {
            // What is told is what the tests are about.
        }
    }
}
