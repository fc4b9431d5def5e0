using System.Text.RegularExpressions;
using Cake.Cli;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Reporting;
using Cake.K3s.Tests.Fixtures;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Tests.Engine;

/// <summary>Random graphs, run by Cake's engine and by the parallel one.</summary>
public sealed class PipelineEngineTests
{
    private const int Graphs = 500;

    [Test]
    public void Should_Do_What_Cakes_Engine_Does_When_Nothing_Fails() =>
        RandomGraph.Succeeding.Sample(
            graph =>
            {
                var cake = ByCake(graph);
                var parallel = InParallel(graph);

                Assert.That(parallel.Failure, Is.Null);
                Assert.That(parallel.Report, Is.EqualTo(cake.Report));
                Assert.That(parallel.Events, Is.EquivalentTo(cake.Events), "each task once, and the same seen by lifetimes");
                Assert.That(parallel.Events[0], Is.EqualTo(cake.Events[0]));
                Assert.That(parallel.Events[^1], Is.EqualTo(cake.Events[^1]));
            },
            iter: Graphs,
            threads: 1);

    [Test]
    public void Should_Run_A_Task_Only_When_All_That_It_Depends_On_Has_Succeeded() =>
        RandomGraph.Any.Sample(
            graph =>
            {
                var run = InParallel(graph);

                foreach (var task in graph.Tasks.Where(task => run.Started.Contains(task.Name)))
                {
                    foreach (var dependency in task.Dependencies)
                    {
                        var ended = run.Events.Index().Where(entry => entry.Item.StartsWith($"after {dependency},", StringComparison.Ordinal)).ToList();
                        Assert.That(ended, Has.Count.EqualTo(1), $"{dependency} ran before {task.Name}");
                        Assert.That(ended[0].Index, Is.LessThan(run.Events.ToList().IndexOf("start " + task.Name)));
                        Assert.That(
                            ended[0].Item.EndsWith("successful: True", StringComparison.Ordinal)
                                || graph.Tasks.First(other => other.Name == dependency).Behaviour == Behaviour.FailsAndIsContinued,
                            $"{dependency} succeeded before {task.Name}");
                    }
                }
            },
            iter: Graphs,
            threads: 1);

    [Test]
    public void Should_Fail_When_Cakes_Engine_Fails_And_Run_At_Least_What_That_Ran() =>
        RandomGraph.Any.Sample(
            graph =>
            {
                var cake = ByCake(graph);
                var parallel = InParallel(graph);

                Assert.That(parallel.Failure is null, Is.EqualTo(cake.Failure is null));
                Assert.That(cake.Started, Is.SubsetOf(parallel.Started));
                Assert.That(parallel.Events[^1], Is.EqualTo(cake.Events[^1]), "the teardown saw the same outcome");
                if (cake.Failure is not null)
                {
                    IEnumerable<Exception> failures = parallel.Failure is AggregateException several ? several.InnerExceptions : [parallel.Failure!];
                    Assert.That(failures.Select(failure => failure.Message), Does.Contain(cake.Failure.Message));
                }
            },
            iter: Graphs,
            threads: 1);

    [Test]
    public void Should_Run_No_Other_Task_Beside_One_That_Runs_Alone() =>
        RandomGraph.Any.Sample(
            graph =>
            {
                var events = InParallel(graph).Events.ToList();

                foreach (var name in graph.Tasks.Where(task => task.RunsAlone).Select(task => task.Name).Where(name => events.Contains("start " + name)))
                {
                    Assert.That(events[events.IndexOf("start " + name) + 1], Is.EqualTo("end " + name));
                }
            },
            iter: Graphs,
            threads: 1);

    [Test]
    public void Should_Do_Exactly_What_Cakes_Engine_Does_When_It_Is_Sequential() =>
        RandomGraph.Any.Sample(
            graph =>
            {
                var cake = ByCake(graph);
                var sequential = InParallel(graph, sequential: true);

                Assert.That(sequential.Events, Is.EqualTo(cake.Events));
                Assert.That(sequential.Report, Is.EqualTo(cake.Report));
                Assert.That(sequential.Failure?.Message, Is.EqualTo(cake.Failure?.Message));
            },
            iter: 100,
            threads: 1);

    [Test]
    public void Should_Keep_The_Lines_Of_A_Task_Together() =>
        RandomGraph.Succeeding.Sample(
            graph => Assert.That(LinesOf(InParallel(graph)).Chunk(2), Has.All.Matches<string[]>(pair => pair[0][..^1] == pair[1][..^1])),
            iter: Graphs,
            threads: 1);

    [Test]
    public void Should_Lose_And_Tear_No_Line() =>
        RandomGraph.Any.Sample(
            graph =>
            {
                var run = InParallel(graph);

                Assert.That(LinesOf(run), Is.EquivalentTo(run.Started.SelectMany(name => new[] { name + " line 1", name + " line 2" })));
            },
            iter: Graphs,
            threads: 1);

    [Test]
    public async Task Should_Run_Independent_Tasks_At_The_Same_Time()
    {
        // Each waits for the other: one after the other they would never end.
        var first = new TaskCompletionSource();
        var second = new TaskCompletionSource();
        var engine = Engine();
        engine.RegisterTask("First").Does(_ => MeetAsync(first, second));
        engine.RegisterTask("Second").Does(_ => MeetAsync(second, first));
        engine.RegisterTask("Both").IsDependentOn("First").IsDependentOn("Second");

        var report = await RunAsync(engine, "Both").WaitAsync(TimeSpan.FromSeconds(10));

        Assert.That(report.Select(entry => entry.TaskName), Is.EqualTo(["First", "Second", "Both"]));

        static Task MeetAsync(TaskCompletionSource own, TaskCompletionSource other)
        {
            own.SetResult();
            return other.Task;
        }
    }

    [Test]
    public async Task Should_Call_The_Task_Lifetimes_One_At_A_Time()
    {
        var inside = 0;
        var most = 0;
        var engine = Engine();
        engine.RegisterTaskSetupAction(_ => Enter());
        engine.RegisterTaskTeardownAction(_ => Enter());
        var all = engine.RegisterTask("All");
        for (var i = 0; i < 8; i++)
        {
            engine.RegisterTask("Task" + i).Does(() => Task.CompletedTask);
            all.IsDependentOn("Task" + i);
        }

        await RunAsync(engine, "All");

        Assert.That(most, Is.EqualTo(1));

        void Enter()
        {
            var now = Interlocked.Increment(ref inside);
            most = Math.Max(most, now);
            Thread.SpinWait(10_000);
            Interlocked.Decrement(ref inside);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public async Task Should_Run_Neither_Setup_Nor_Teardown_When_It_Is_A_Dry_Run(bool exclusive)
    {
        List<string> ran = [];
        var screen = new RecordingConsole();
        var log = new CakeBuildLog(screen);
        var engine = Engine();
        engine.RegisterSetupAction(_ => ran.Add("setup"));
        engine.RegisterTeardownAction(_ => ran.Add("teardown"));
        engine.RegisterTask("Deploy").Does(() => ran.Add("task"));

        // The host that the Cake.Frosting package uses as well.
        var host = new DryRunScriptHost<ICakeContext>(engine, new StubContext(log), log);
        if (exclusive)
        {
            host.Settings.UseExclusiveTarget();
        }

        await host.RunTargetAsync("Deploy");

        Assert.That(ran, Is.Empty);
        Assert.That(screen.Lines, Does.Contain("1. Deploy"));
    }

    [Test]
    public void Should_Ask_Running_Tasks_To_Stop_When_It_Fails_Fast()
    {
        using var cancellation = new CancellationTokenSource();
        var started = new TaskCompletionSource();
        var engine = Engine(AtOnce with { FailFast = true, Stop = cancellation.Cancel, Cancellation = cancellation.Token });
        engine.RegisterTask("Failing").Does(async _ =>
        {
            await started.Task;
            throw new InvalidOperationException("disk full");
        });
        engine.RegisterTask("Endless").Does(_ =>
        {
            started.SetResult();
            return Task.Delay(Timeout.Infinite, cancellation.Token);
        });
        engine.RegisterTask("Both").IsDependentOn("Failing").IsDependentOn("Endless");

        Assert.That(
            async () => await RunAsync(engine, "Both").WaitAsync(TimeSpan.FromSeconds(10)),
            Throws.TypeOf<CakeReportException>().With.InnerException.Message.EqualTo("disk full"));
    }

    [Test]
    public void Should_Be_Cancelled_When_The_Run_Is()
    {
        using var cancellation = new CancellationTokenSource();
        var ran = false;
        var engine = Engine(AtOnce with { Stop = cancellation.Cancel, Cancellation = cancellation.Token });
        engine.RegisterTask("Cancelling").Does(cancellation.Cancel);
        engine.RegisterTask("Next").IsDependentOn("Cancelling").Does(() => ran = true);

        Assert.That(
            async () => await RunAsync(engine, "Next"),
            Throws.TypeOf<CakeReportException>().With.InnerException.InstanceOf<OperationCanceledException>());
        Assert.That(ran, Is.False);
    }

    [Test]
    public void Should_Run_The_Follow_Up_Except_When_The_Target_Is_Exclusive()
    {
        List<string> ran = [];
        foreach (var args in new string[][] { ["--target=Deploy"], ["--target=Deploy", "--exclusive"] })
        {
            ran.Add("run");
            new CakeHost()
                .ConfigureServices(services => services
                    .AddSingleton(ran)
                    .AddSingleton<IConsole>(new RecordingConsole())
                    .AddSingleton<IFrostingTask, Deploy>()
                    .AddSingleton<IFrostingTask, Verify>()
                    .AddSingleton<ICakeEngine>(provider => new PipelineEngine(
                        provider.GetRequiredService<ICakeDataService>(),
                        provider.GetRequiredService<ICakeLog>(),
                        provider.GetRequiredService<IConsole>(),
                        () => TaskTraits.Of([typeof(Deploy), typeof(Verify)]),
                        () => AtOnce)))
                .Run(args);
        }

        Assert.That(ran, Is.EqualTo(["run", "Deploy", "Verify", "run", "Deploy"]));
    }

    private static readonly EngineOptions AtOnce = new(
        Sequential: false, FailFast: false, () => { }, CancellationToken.None, new RecordingReporter(), new CurrentTask());

    private static EngineRun ByCake(RandomGraph graph)
    {
        var screen = new RecordingConsole();
        return EngineRun.OfAsync(graph, (log, _) => new CakeEngine(new NoData(), log), screen, screen).GetAwaiter().GetResult();
    }

    private static EngineRun InParallel(RandomGraph graph, bool sequential = false)
    {
        var screen = new RecordingConsole();
        return EngineRun.OfAsync(
            graph,
            (log, console) => new PipelineEngine(new NoData(), log, console, () => TraitsOf(graph), () => AtOnce with { Sequential = sequential }),
            new TaskConsole(screen),
            screen).GetAwaiter().GetResult();
    }

    private static PipelineEngine Engine(EngineOptions? options = null)
    {
        var console = new TaskConsole(new RecordingConsole());
        return new(new NoData(), new CakeBuildLog(console), console, () => TraitsOf(new([], [])), () => options ?? AtOnce);
    }

    private static Task<CakeReport> RunAsync(PipelineEngine engine, string target)
    {
        var console = new RecordingConsole();
        var log = new CakeBuildLog(console);
        return engine.RunTargetAsync(new StubContext(log), new DefaultExecutionStrategy(log, new CakeReportPrinter(console, new StubContext(log))), new ExecutionSettings().SetTarget(target));
    }

    private static List<string> LinesOf(EngineRun run) => [.. run.Lines.Where(line => Regex.IsMatch(line, @"^Task\d+ line \d$"))];

    private static TaskTraits TraitsOf(RandomGraph graph) => new(
        Array.Empty<string>().ToLookup(name => name),
        graph.Tasks.Where(task => task.RunsAlone).Select(task => task.Name).ToHashSet());

    [FollowedBy(typeof(Verify))]
    public sealed class Deploy(List<string> ran) : FrostingTask
    {
        public override void Run(ICakeContext context) => ran.Add("Deploy");
    }

    [IsDependentOn(typeof(Deploy))]
    public sealed class Verify(List<string> ran) : FrostingTask
    {
        public override void Run(ICakeContext context) => ran.Add("Verify");
    }
}
