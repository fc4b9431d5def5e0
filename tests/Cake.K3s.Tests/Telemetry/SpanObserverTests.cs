using System.Diagnostics;
using System.Net;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Reporting.Report;
using Cake.K3s.Settings;
using Cake.K3s.Telemetry;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.Tests.Telemetry;

public sealed class SpanObserverTests
{
    private static readonly DateTimeOffset Begin = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private LogRecorder _log = null!;

    [SetUp]
    public void SetUp() => _log = new LogRecorder();

    [Test]
    public async Task Should_send_the_run_its_tasks_and_its_workloads_as_one_trace()
    {
        using var collector = new OtlpCollector();

        await RunAsync(collector.Address, ExitCodes.Failed);

        var request = await collector.Received;
        var spans = request.Spans.ToDictionary(span => span.Name);
        Assert.Multiple(() =>
        {
            Assert.That((request.Path, request.ContentType), Is.EqualTo(("/v1/traces", "application/x-protobuf")));
            Assert.That(spans.Keys, Is.EquivalentTo(new[] { "Deploy", "Push", "VerifyRollout" }));
            Assert.That(spans["Push"].Parent, Is.EqualTo(spans["Deploy"].Id));
            Assert.That(spans["Deploy"].Parent, Is.Empty);
            Assert.That(spans["Push"].Duration, Is.EqualTo(TimeSpan.FromSeconds(7)));
            Assert.That(spans["Deploy"].Duration, Is.EqualTo(TimeSpan.FromSeconds(20)));
            Assert.That(spans["Deploy"].Attributes["cake.k3s.exit_code"], Is.EqualTo("1"));
            Assert.That(spans["Deploy"].Attributes["cake.k3s.release"], Is.EqualTo("12"));
            Assert.That(spans["Deploy"].Attributes["cake.k3s.verdict"], Is.EqualTo("it crashed"));
            Assert.That(spans.Values.Where(span => span.Failed).Select(span => span.Name), Is.EquivalentTo(new[] { "Deploy", "VerifyRollout" }));
            Assert.That(_log.Lines, Is.Empty);
        });
    }

    [Test]
    public async Task Should_send_no_secret()
    {
        using var collector = new OtlpCollector();

        await RunAsync(collector.Address, ExitCodes.Failed);

        var request = await collector.Received;
        Assert.That(request.Contains("password is ***"), Is.True);
        Assert.That(request.Contains("top-secret"), Is.False);
    }

    [Test]
    public async Task Should_warn_and_go_on_When_the_collector_refuses()
    {
        using var collector = new OtlpCollector(HttpStatusCode.BadRequest);

        await RunAsync(collector.Address, ExitCodes.Success);

        Assert.That(_log.Lines, Has.Exactly(1).Contains("were not sent"));
    }

    [Test]
    public async Task Should_warn_and_go_on_When_nobody_answers()
    {
        using var collector = new OtlpCollector(hangs: true);
        var begin = Stopwatch.GetTimestamp();

        await RunAsync(collector.Address, ExitCodes.Success);

        Assert.That(_log.Lines, Has.Exactly(1).Contains("were not sent"));
        Assert.That(Stopwatch.GetElapsedTime(begin), Is.LessThan(TimeSpan.FromSeconds(30)), "two seconds, and what a busy machine takes");
    }

    [Test]
    public async Task Should_send_nothing_When_no_address_is_set()
    {
        await RunAsync(null, ExitCodes.Success);

        Assert.That(_log.Lines, Is.Empty);
    }

    private async Task RunAsync(string? address, int exitCode)
    {
        var recorder = new RunRecorder(TimeProvider.System);
        var mask = new SecretMask();
        mask.Add(new Secret("top-secret"));
        var run = new PipelineRun(new RunOptions { Root = "/", SettingsFile = "/deploy.yaml", Environment = "production" }, new SettingsReader(), []);
        var variables = new EnvironmentVariables(name => name == SpanObserver.Variable ? address : null);
        await using var observer = new SpanObserver(recorder, new Lazy<PipelineRun>(run), variables, _log, mask);
        var reporter = new RunReporter([recorder, observer], mask, new CurrentTask(), TimeProvider.System);
        var failure = exitCode == 0 ? null : "its password is top-secret";
        RunEvent[] events =
        [
            new RunStarted("Deploy", ["Push", "VerifyRollout", "Never"]) { At = Begin },
            new TaskStarted("Push") { At = Begin.AddSeconds(1) },
            new TaskEnded("Push", TaskOutcome.Succeeded, TimeSpan.FromSeconds(7), null) { At = Begin.AddSeconds(8) },
            new ReleaseChanged(12, "Failed", "abc", false, "ann", null, null) { At = Begin.AddSeconds(8) },
            new TaskStarted("VerifyRollout") { At = Begin.AddSeconds(9) },
            new VerdictReached("release 12", "it crashed", [], [], null) { At = Begin.AddSeconds(18) },
            new TaskEnded("VerifyRollout", exitCode == 0 ? TaskOutcome.Succeeded : TaskOutcome.Failed, TimeSpan.FromSeconds(10), failure) { At = Begin.AddSeconds(19) },
            new RunEnded(exitCode, failure, null, []) { At = Begin.AddSeconds(20) },
        ];
        events.ToList().ForEach(reporter.Report);
    }
}
