using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Reporting;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunReporterTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly CurrentTask _task = new();
    private readonly SecretMask _mask = new();

    [Test]
    public void Should_Tell_Every_Observer_When_And_In_Which_Task()
    {
        var (first, second) = (new Recorder(), new Recorder());
        _task.Name = "Deploy";

        new RunReporter([first, second], _mask, _task, _time).Step("deploy", "done");

        Assert.That(first.Seen.Single(), Is.EqualTo(new LineReported(LineLevel.Step, "deploy", "done") { At = _time.GetUtcNow(), Task = "Deploy" }));
        Assert.That(second.Seen, Is.EqualTo(first.Seen));
    }

    [Test]
    public void Should_Keep_The_Time_When_It_Is_Given()
    {
        var observer = new Recorder();
        var at = _time.GetUtcNow().AddMinutes(-1);

        new RunReporter([observer], _mask, _task, _time).Report(new TaskStarted("Lint") { At = at });

        Assert.That(observer.Seen.Single().At, Is.EqualTo(at));
    }

    [Test]
    public void Should_Hide_Secrets_In_Whatever_Is_Reported()
    {
        var observer = new Recorder();
        var reporter = new RunReporter([observer], _mask, _task, _time);
        _mask.Add(new Secret("hunter2hunter2"));

        foreach (var runEvent in Samples)
        {
            reporter.Report(runEvent);
        }

        Assert.That(observer.Seen, Has.Count.EqualTo(Samples.Length));
        Assert.That(observer.Seen.Select(Text), Has.None.Contains("hunter2"));
        Assert.That(observer.Seen.Select(Text), Has.All.Contains("***"));
    }

    private static readonly RunEvent[] Samples =
    [
        new LineReported(LineLevel.Output, "api", "password hunter2hunter2"),
        new TaskEnded("Deploy", TaskOutcome.Failed, TimeSpan.Zero, "password hunter2hunter2"),
        new RunEnded(1, "hunter2hunter2", "use hunter2hunter2", ["x", "hunter2hunter2"]),
        new WorkloadChanged("Deployment", "shop", "api", WorkloadState.Failed, "hunter2hunter2", []),
        new ImageProgressed("api", ImageStage.Build, 1, 2, "RUN echo hunter2hunter2"),
        new ObjectChanged("ConfigMap", "shop", "settings", ObjectChange.Updated, ["data.url: hunter2hunter2"]),
        new VerdictReached("release 7", "hunter2hunter2", [new("Deployment/api", null, null, "Error", "hunter2hunter2", null)], ["hunter2hunter2"], null),
    ];

    private static string Text(RunEvent runEvent) => System.Text.Json.JsonSerializer.Serialize(runEvent, runEvent.GetType());

    private sealed class Recorder : IRunObserver
    {
        public List<RunEvent> Seen { get; } = [];

        public void Observe(RunEvent runEvent) => Seen.Add(runEvent);
    }
}
