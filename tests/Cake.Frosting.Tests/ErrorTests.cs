using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.Frosting.Tests;

public sealed class ErrorTests : HostTest
{
    [Test]
    public void Should_Stop_And_Tell_The_Error_Once_When_A_Task_Fails()
    {
        var exitCode = Host(typeof(Failing), typeof(AfterFailing)).Run(["--target=AfterFailing"]);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(Journal.Entries, Is.Empty);
        Assert.That(Console.Error.Split('\n'), Has.Exactly(1).EqualTo("Error: disk full"));
        Assert.That(Console.Error, Does.Not.Contain("   at "));
    }

    [Test]
    public void Should_Show_Where_It_Failed_When_Verbosity_Is_Diagnostic()
    {
        Host(typeof(Failing)).Run(["--target=Failing", "--verbosity=diagnostic"]);

        Assert.That(Console.Error, Does.Contain($"at {typeof(Failing).FullName!.Replace('+', '.')}.Run("));
    }

    [TestCase(typeof(FailingWithData), 4)]
    [TestCase(typeof(FailingWithCakeException), 42)]
    [TestCase(typeof(FailingWithWrappedData), 3)]
    [TestCase(typeof(FailingWithSeveral), 5)]
    [TestCase(typeof(Cancelled), 130)]
    [TestCase(typeof(TimedOut), 1)]
    [TestCase(typeof(FailingWithZero), 1)]
    public void Should_Return_The_Exit_Code_That_The_Failure_Carries(Type task, int exitCode) =>
        Assert.That(Host(task).Run(["--target=" + task.Name]), Is.EqualTo(exitCode));

    [Test]
    public void Should_Say_That_It_Was_Cancelled_When_It_Was()
    {
        Host(typeof(Cancelled)).Run(["--target=Cancelled"]);

        Assert.That(Console.Error.TrimEnd().Split('\n')[^1], Is.EqualTo("Cancelled."));
    }

    [Test]
    public void Should_Tell_The_Error_And_Go_On_When_The_Task_Says_So()
    {
        var exitCode = Host(typeof(FailingButContinued), typeof(AfterContinued)).Run(["--target=AfterContinued"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.EqualTo([nameof(AfterContinued)]));
        Assert.That(Console.Error, Does.Contain("Error: flaky network"));
        Assert.That(Console.Output, Does.Match(@"FailingButContinued\s.*Failed"));
    }

    [Test]
    public void Should_Call_The_Handler_And_Go_On_When_A_Continued_Task_Has_One()
    {
        var exitCode = Host(typeof(ContinuedWithHandler)).Run(["--target=ContinuedWithHandler"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.EqualTo(["handled flaky network"]));
    }

    [Test]
    public void Should_Be_Cancelled_When_A_Continued_Task_Is() =>
        Assert.That(Host(typeof(ContinuedButCancelled)).Run(["--target=ContinuedButCancelled"]), Is.EqualTo(130));

    [Test]
    public void Should_Go_On_When_The_Handler_Does_Not_Throw()
    {
        var exitCode = Host(typeof(Handled), typeof(AfterHandled)).Run(["--target=AfterHandled"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries, Is.EqualTo(["handled disk full", "finally", nameof(AfterHandled)]));
    }

    [Test]
    public void Should_Fail_With_The_New_Error_When_The_Handler_Throws_One()
    {
        var exitCode = Host(typeof(HandledBadly)).Run(["--target=HandledBadly"]);

        Assert.That(exitCode, Is.EqualTo(7));
        Assert.That(Console.Error, Does.Contain("Error: disk full").And.Contains("Error: handler failed"));
    }

    [Test]
    public void Should_List_Each_Message_When_Several_Things_Failed()
    {
        Host(typeof(FailingWithSeveral)).Run(["--target=FailingWithSeveral"]);

        Assert.That(Console.Error, Does.Contain("Error: first" + Environment.NewLine + "second"));
    }

    public sealed class Failing : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("disk full");
    }

    [IsDependentOn(typeof(Failing))]
    public sealed class AfterFailing(Journal journal) : Entered(journal);

    public sealed class FailingWithData : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("lock held") { Data = { ["ExitCode"] = 4 } };
    }

    public sealed class FailingWithZero : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("odd") { Data = { ["ExitCode"] = 0 } };
    }

    public sealed class FailingWithCakeException : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new CakeException(42, "tool failed");
    }

    public sealed class FailingWithWrappedData : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) =>
            throw new CakeException("outer", new IOException("rolled back") { Data = { ["ExitCode"] = 3 } });
    }

    public sealed class FailingWithSeveral : FrostingTask
    {
        public override void Run(ICakeContext context) =>
            throw new AggregateException(new IOException("first"), new IOException("second") { Data = { ["ExitCode"] = 5 } });
    }

    public sealed class Cancelled : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) => Task.FromCanceled(new CancellationToken(canceled: true));
    }

    public sealed class TimedOut : AsyncFrostingTask
    {
        public override Task RunAsync(ICakeContext context) => throw new TaskCanceledException("too slow", new TimeoutException());
    }

    [ContinueOnError]
    public sealed class FailingButContinued : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("flaky network");
    }

    [IsDependentOn(typeof(FailingButContinued))]
    public sealed class AfterContinued(Journal journal) : Entered(journal);

    [ContinueOnError]
    public sealed class ContinuedWithHandler(Journal journal) : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("flaky network");

        public override void OnError(Exception exception, ICakeContext context)
        {
            journal.Add("handled " + exception.Message);
            throw exception;
        }
    }

    [ContinueOnError]
    public sealed class ContinuedButCancelled : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new OperationCanceledException();
    }

    public sealed class Handled(Journal journal) : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("disk full");

        public override void OnError(Exception exception, ICakeContext context) => journal.Add("handled " + exception.Message);

        public override void Finally(ICakeContext context) => journal.Add("finally");
    }

    [IsDependentOn(typeof(Handled))]
    public sealed class AfterHandled(Journal journal) : Entered(journal);

    public sealed class HandledBadly : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("disk full");

        public override void OnError(Exception exception, ICakeContext context)
        {
            context.Log.Information("handling");
            throw new CakeException(7, "handler failed");
        }
    }
}
