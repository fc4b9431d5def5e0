using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Tests.Daemon;

[TestFixture]
internal sealed class StepLogTests
{
    [Test]
    public async Task Should_GiveEachLineToEverybody_When_TwoWaitForTheSameWork()
    {
        var log = new StepLog();
        var work = new TaskCompletionSource();
        var readers = new[] { ReadAsync(log, work.Task), ReadAsync(log, work.Task) };

        log.Step("engine", "started");
        work.SetResult();

        Assert.That(await Task.WhenAll(readers), Is.All.EqualTo(new[] { "started" }));
    }

    [Test]
    public void Should_ThrowWhatTheWorkThrew_When_ItFails()
    {
        var failure = new K3sException(ExitCodes.RequirementMissing, "no engine", "Start one.", ["a line of log"]);

        Assert.That(async () => await ReadAsync(new StepLog(), Task.FromException(failure)), Throws.Exception.SameAs(failure));
    }

    [Test]
    public void Should_TellTheOperatorTheSame_When_AFailureCrossesTheSocket()
    {
        var failure = new K3sException(ExitCodes.RequirementMissing, "no engine", "Start one.", ["a line of log"]);

        var told = FailureMessage.Of(failure).ToException();

        Assert.That(told.Message, Is.EqualTo(failure.Message));
        Assert.That(told.ExitCode, Is.EqualTo(failure.ExitCode));
    }

    private static async Task<string[]> ReadAsync(StepLog log, Task work)
    {
        var lines = new List<string>();
        await foreach (var line in log.WhileAsync(() => work))
        {
            lines.Add(line.Text);
        }

        return [.. lines];
    }
}
