using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Progress;
using Cake.K3s.Tests.Engine;
using Cake.K3s.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;
using Spectre.Console.Testing;

namespace Cake.K3s.Tests.Reporting.Progress;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class HeartbeatTests : IDisposable
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
    private readonly LogRecorder _log = new();
    private readonly Screen _screen;
    private readonly Heartbeat _heartbeat;

    public HeartbeatTests()
    {
        _screen = new(new RecordingConsole(), () => null, _time);
        _heartbeat = new(_screen, _log, _time);
    }

    [Test]
    public void Should_Say_What_Is_Waited_For_When_Nothing_Was_Written_For_30_Seconds()
    {
        Take(new RunStarted("Deploy", ["BuildImage", "Test"]), new TaskStarted("BuildImage"), new TaskStarted("Test"));
        Take(new ImageProgressed("api", ImageStage.Build, 2, 3, "RUN make") { Task = "BuildImage" });
        Take(new LineReported(LineLevel.Output, "test", "Restoring") { Task = "Test" });

        Pass(seconds: 29);
        Assert.That(_log.Lines, Is.Empty);

        Pass(seconds: 1);
        Assert.That(_log.Lines, Is.EqualTo(["Information still waiting for BuildImage (30 s): api: building, step 2 of 3: RUN make; Test (30 s): test: Restoring"]));
    }

    [Test]
    public void Should_Name_The_Workload_That_Is_Not_Ready()
    {
        Take(new RunStarted("Deploy", ["VerifyRollout"]), new TaskStarted("VerifyRollout"));
        Take(Workload("admin", WorkloadState.Ready, "1 of 1 pods ready"), Workload("api", WorkloadState.Waiting, "2 of 3 pods ready"));

        Pass(seconds: 30);

        Assert.That(_log.Lines.Single(), Does.EndWith("still waiting for VerifyRollout (30 s): Deployment/api: 2 of 3 pods ready"));
    }

    [Test]
    public void Should_Say_So_When_No_Task_Runs_Yet()
    {
        Take(new RunStarted("Deploy", ["Lint"]));

        Pass(seconds: 60);

        Assert.That(_log.Lines, Is.EqualTo(["Information still waiting for what the tasks need (30 s)", "Information still waiting for what the tasks need (1 min 00 s)"]));
    }

    [Test]
    public void Should_Count_From_The_Last_Line_That_Was_Written()
    {
        Take(new RunStarted("Deploy", ["Lint"]));
        Pass(seconds: 20);
        _screen.WriteLine("a line");

        Pass(seconds: 29);
        Assert.That(_log.Lines, Is.Empty);

        Pass(seconds: 1);
        Assert.That(_log.Lines, Has.Count.EqualTo(1));
    }

    [Test]
    public void Should_Be_Silent_When_The_Run_Has_Ended()
    {
        Take(new RunStarted("Deploy", ["Lint"]), new RunEnded(0, null, null, []));

        Pass(seconds: 60);

        Assert.That(_log.Lines, Is.Empty);
    }

    [Test]
    public void Should_Be_Silent_When_A_Display_Shows_It()
    {
        using var terminal = new TestConsole();
        using var screen = new Screen(new RecordingConsole(), () => terminal, _time);
        using var heartbeat = new Heartbeat(screen, _log, _time);

        heartbeat.Observe(new RunStarted("Deploy", ["Lint"]));
        Pass(seconds: 60);

        Assert.That(_log.Lines, Is.Empty);
    }

    public void Dispose()
    {
        _heartbeat.Dispose();
        _screen.Dispose();
    }

    private static WorkloadChanged Workload(string name, WorkloadState state, string message) =>
        new("Deployment", "default", name, state, message, []) { Task = "VerifyRollout" };

    private void Take(params RunEvent[] events) => Array.ForEach(events, each => _heartbeat.Observe(each with { At = _time.GetUtcNow() }));

    // In steps: what a line written by the clock itself starts anew is due later.
    private void Pass(int seconds)
    {
        for (var second = 0; second < seconds; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
