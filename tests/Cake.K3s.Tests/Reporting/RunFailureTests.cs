using Cake.Core;
using Cake.K3s.Reporting;

namespace Cake.K3s.Tests.Reporting;

public sealed class RunFailureTests
{
    private static readonly K3sException Held = new(ExitCodes.LockHeld, "the lock is held", "wait", ["by ann"]);

    [Test]
    public void Should_Be_A_Success_When_Nothing_Was_Thrown() => Assert.That(RunFailure.Of(null).ExitCode, Is.Zero);

    [Test]
    public void Should_Tell_What_Failed_When_Cake_Wrapped_It()
    {
        var ended = RunFailure.Of(new CakeReportException(new CakeReport(), "wrapped", Held));

        Assert.That((ended.ExitCode, ended.Failure, ended.NextStep), Is.EqualTo((4, "the lock is held", "wait")));
        Assert.That(ended.Details, Is.EqualTo(["by ann"]));
    }

    [Test]
    public void Should_Tell_All_When_Several_Tasks_Failed()
    {
        var ended = RunFailure.Of(new AggregateException(new InvalidOperationException("disk full\nand more"), Held));

        Assert.That((ended.ExitCode, ended.Failure), Is.EqualTo((4, "disk full; the lock is held")));
    }

    [Test]
    public void Should_Be_Cancelled_When_The_Run_Was() =>
        Assert.That((RunFailure.Of(new OperationCanceledException()).ExitCode, RunFailure.Of(new OperationCanceledException()).Failure), Is.EqualTo((130, "cancelled")));

    [Test]
    public void Should_Have_Failed_When_A_Request_Timed_Out() =>
        Assert.That(RunFailure.Of(new TaskCanceledException("slow", new TimeoutException())).ExitCode, Is.EqualTo(1));
}
