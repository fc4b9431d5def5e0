using Cake.Core;
using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Tests.Engine;

/// <summary>The engine as a host gets it.</summary>
public sealed class EngineServicesTests
{
    [TestCase(2)]
    [TestCase(1, "--sequential")]
    public void Should_Run_As_Many_Tasks_At_Once_As_The_Command_Line_Allows(int expected, params string[] args)
    {
        var counter = new Counter(expected);

        var exitCode = Host(counter, typeof(First), typeof(Second), typeof(Both)).Run(["--target=Both", .. args]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(counter.Most, Is.EqualTo(expected));
    }

    [Test]
    public void Should_Cancel_The_Run_When_A_Task_Fails_And_It_Fails_Fast()
    {
        var exitCode = Host(new Counter(1), typeof(Failing), typeof(Endless), typeof(FailingAndEndless)).Run(["--target=FailingAndEndless", "--fail-fast"]);

        Assert.That(exitCode, Is.EqualTo(4), "the failure's own, not that of what it cancelled");
    }

    private static CakeHost Host(Counter counter, params Type[] tasks) => new CakeHost().ConfigureServices(services =>
    {
        services.AddProcesses().AddReporting().AddEngine().AddSingleton(counter).AddSingleton<IConsole>(new TaskConsole(new RecordingConsole()));
        services.AddSingleton(new PipelineRun(
            new RunOptions { Root = "/nowhere", SettingsFile = "/nowhere/deploy.yaml" }, new SettingsReader(), Array.Empty<IEnvironmentOpener>()));
        foreach (var task in tasks)
        {
            services.AddSingleton(typeof(IFrostingTask), task);
        }
    });

    /// <summary>How many tasks were inside at once.</summary>
    public sealed class Counter(int expected)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _inside;

        public int Most { get; private set; }

        public async Task EnterAsync()
        {
            lock (_reached)
            {
                Most = Math.Max(Most, ++_inside);
                if (_inside >= expected)
                {
                    _reached.TrySetResult();
                }
            }

            await _reached.Task.WaitAsync(TimeSpan.FromSeconds(10));
            lock (_reached)
            {
                _inside--;
            }
        }
    }

    public sealed class First(Counter counter) : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) => counter.EnterAsync();
    }

    public sealed class Second(Counter counter) : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) => counter.EnterAsync();
    }

    [IsDependentOn(typeof(First))]
    [IsDependentOn(typeof(Second))]
    public sealed class Both : FrostingTask;

    public sealed class Failing : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new K3sException(4, "the lock is held");
    }

    public sealed class Endless(PipelineRun run) : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) => Task.Delay(Timeout.Infinite, run.Cancellation);
    }

    [IsDependentOn(typeof(Failing))]
    [IsDependentOn(typeof(Endless))]
    public sealed class FailingAndEndless : FrostingTask;
}
