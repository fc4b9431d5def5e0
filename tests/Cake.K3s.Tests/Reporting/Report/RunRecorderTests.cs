using System.Collections.Immutable;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Report;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Reporting.Report;

[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
public sealed class RunRecorderTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RunRecorder _recorder;

    public RunRecorderTests() => _recorder = new(_time);

    [Test]
    public void Should_Keep_Tasks_In_The_Order_In_Which_They_Began_And_Those_That_Did_Not_Last()
    {
        Take(new RunStarted("Deploy", ["Lint", "Test", "Push"]), new TaskStarted("Test"));
        _time.Advance(TimeSpan.FromSeconds(1));
        Take(new TaskStarted("Lint"), new TaskEnded("Lint", TaskOutcome.Failed, TimeSpan.FromSeconds(3), "wrong"));
        _time.Advance(TimeSpan.FromSeconds(4));

        Assert.That(
            _recorder.Record().Tasks.Select(task => (task.Name, task.State, task.Seconds)),
            Is.EqualTo([("Test", "Running", 5d), ("Lint", "Failed", 3d), ("Push", "NotRun", 0d)]));
    }

    [Test]
    public void Should_Keep_The_Last_Lines_Only()
    {
        Take(new RunStarted("Test", ["Test"]), new TaskStarted("Test"));
        for (var line = 0; line < 500; line++)
        {
            Take(new LineReported(LineLevel.Output, "test", $"{line}") { Task = "Test" });
        }

        var task = _recorder.Record().Tasks.Single();
        Assert.That((task.Lines.Length, task.LinesLeftOut, task.Lines[^1].Text), Is.EqualTo((400, 100, "499")));
    }

    [Test]
    public void Should_Follow_Pods_Until_They_Are_Gone()
    {
        Take(new RunStarted("Deploy", ["VerifyRollout"]));
        See(Pod("api-1", "Pending", ready: false), Pod("old", "Running", ready: true));
        _time.Advance(TimeSpan.FromSeconds(2));
        See(Pod("api-1", "Running", ready: true));
        _time.Advance(TimeSpan.FromSeconds(3));

        var pods = _recorder.Record().Workloads.Single().Pods;
        Assert.That(
            pods[0].Spans.Select(span => (span.State, (span.To - span.From).TotalSeconds)), Is.EqualTo([("Waiting", 2d), ("Ready", 3d)]));
        Assert.That(pods[1].Spans[^1].State, Is.EqualTo("Gone"));
    }

    [Test]
    public void Should_Put_Together_What_Is_Told_Of_An_Image()
    {
        Take(
            new ImageBuilt("api", "registry/api", "sha256:1", "key", IsNew: true, "abc", IsDirty: false),
            new ImageSigned("api", "cosign.pub", IsNew: true, ["what is in it"]),
            new ImagePushed("api", "registry/api@sha256:1", ["v1"], 12, "cosign verify"));

        var image = _recorder.Record().Images.Single();
        Assert.That((image.Digest, image.SignedBy, image.SentBytes, image.Statements[0]), Is.EqualTo(("sha256:1", "cosign.pub", 12, "what is in it")));
    }

    [Test]
    public void Should_Read_What_It_Wrote()
    {
        Take(new RunStarted("Deploy", ["Lint"]), new TaskStarted("Lint"), new ReleaseChanged(7, "Applied", null, false, "ann", "2", null));
        Take(new EarlierReleases([new(6, "Verified", _time.GetUtcNow(), 1, null, new Dictionary<string, double> { ["Lint"] = 1.5 }.ToImmutableSortedDictionary())]));

        var text = _recorder.Record().Write(value => value);

        Assert.That(RunRecord.Read(text).Write(value => value), Is.EqualTo(text));
        Assert.That(RunTimings.Compare(RunRecord.Read(text)).Single(), Is.EqualTo(new TimingRow("Lint", 0, 1.5)));
    }

    [Test]
    public void Should_Hide_A_Secret_That_Became_Known_Late()
    {
        Take(new RunStarted("Deploy", ["Lint"]), new LineReported(LineLevel.Output, "lint", "token \"hunter2\"") { Task = "Lint" });

        Assert.That(_recorder.Record().Write(value => value.Replace("hunter2", "***")), Does.Not.Contain("hunter2"));
    }

    private static PodState Pod(string name, string status, bool ready) => new(name, status, ready, 0, "node-1", IsNew: true);

    private void See(params PodState[] pods) => Take(new WorkloadChanged("Deployment", "shop", "api", WorkloadState.Waiting, "on its way", [.. pods]));

    private void Take(params RunEvent[] events)
    {
        foreach (var runEvent in events)
        {
            _recorder.Observe(runEvent with { At = _time.GetUtcNow() });
        }
    }
}
