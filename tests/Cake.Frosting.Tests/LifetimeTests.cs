using Cake.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting.Tests;

public sealed class LifetimeTests : HostTest
{
    [Test]
    public void Should_Surround_The_Run_And_Each_Task()
    {
        Host(typeof(First), typeof(Skipped), typeof(Last)).UseContext<Context>().UseLifetime<Lifetime>().UseTaskLifetime<TaskLifetime>().Run(["--target=Last"]);

        Assert.That(Journal.Entries, Is.EqualTo([
            "setup for Last: First, Skipped, Last",
            "before First", "First", "after First",
            "before Skipped", "after Skipped, skipped",
            "before Last", "Last", "after Last",
            "teardown, successful",
        ]));
    }

    [Test]
    public void Should_Tear_Down_When_A_Task_Fails()
    {
        Host(typeof(Failing)).UseContext<Context>().UseLifetime<Lifetime>().UseTaskLifetime<TaskLifetime>().Run(["--target=Failing"]);

        Assert.That(Journal.Entries, Is.EqualTo([
            "setup for Failing: Failing", "before Failing", "after Failing, disk full", "teardown, disk full",
        ]));
    }

    [Test]
    public void Should_Tear_Down_And_Run_No_Task_When_The_Setup_Fails()
    {
        var exitCode = Host(typeof(First)).UseContext<Context>().UseLifetime<Lifetime>().UseSetup<FailingSetup>().Run(["--target=First"]);

        Assert.That(exitCode, Is.EqualTo(5));
        Assert.That(Journal.Entries, Is.EqualTo(["teardown, no docker"]));
    }

    [Test]
    public void Should_Fail_When_The_Teardown_Fails()
    {
        var exitCode = Host(typeof(First)).UseTeardown<FailingTeardown>().Run(["--target=First"]);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(Console.Error, Does.Contain("Error: lock lost"));
    }

    [Test]
    public void Should_Use_The_Last_One_When_There_Are_Several()
    {
        Host(typeof(First)).UseContext<Context>().UseLifetime<Lifetime>().UseSetup<OtherSetup>().UseTaskSetup<OtherTaskSetup>().UseTaskTeardown<OtherTaskTeardown>()
            .Run(["--target=First"]);

        Assert.That(Journal.Entries, Is.EqualTo(["other setup", "other before", "First", "other after", "teardown, successful"]));
    }

    [Test]
    public void Should_Dispose_Of_Services_After_The_Teardown()
    {
        var exitCode = Host(typeof(UsingService)).ConfigureServices(services => services.AddSingleton<Service>()).UseContext<Context>().UseLifetime<Lifetime>()
            .Run(["--target=UsingService"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Journal.Entries.TakeLast(2), Is.EqualTo(["teardown, successful", "disposed"]));
    }

    [Test]
    public void Should_Fail_When_A_Service_Cannot_Be_Disposed_Of()
    {
        var exitCode = Host(typeof(UsingService)).ConfigureServices(services => services.AddSingleton<Service, BrokenService>()).Run(["--target=UsingService"]);

        Assert.That(exitCode, Is.EqualTo(1));
        Assert.That(Console.Error, Does.Contain("Error: socket gone"));
    }

    public class Service(Journal journal) : IAsyncDisposable
    {
        public virtual ValueTask DisposeAsync()
        {
            journal.Add("disposed");
            GC.SuppressFinalize(this);
            return ValueTask.CompletedTask;
        }
    }

    public sealed class BrokenService(Journal journal) : Service(journal)
    {
        public override ValueTask DisposeAsync() => throw new IOException("socket gone");
    }

    public sealed class UsingService(Service service) : FrostingTask
    {
        public override void Run(ICakeContext context) => Assert.That(service, Is.Not.Null);
    }

    public sealed class Context(ICakeContext context) : FrostingContext(context);

    public sealed class First(Journal journal) : Entered(journal);

    [IsDependentOn(typeof(First))]
    public sealed class Skipped : FrostingTask<Context>
    {
        public override bool ShouldRun(Context context) => false;
    }

    [IsDependentOn(typeof(Skipped))]
    public sealed class Last(Journal journal) : AsyncFrostingTask<Context>
    {
        public override Task RunAsync(Context context)
        {
            journal.Add("Last");
            return Task.CompletedTask;
        }
    }

    public sealed class Failing : FrostingTask
    {
        public override void Run(ICakeContext context) => throw new IOException("disk full");
    }

    public sealed class Lifetime(Journal journal) : FrostingLifetime<Context>
    {
        public override void Setup(Context context, ISetupContext info) =>
            journal.Add($"setup for {info.TargetTask.Name}: {string.Join(", ", info.TasksToExecute.Select(task => task.Name))}");

        public override void Teardown(Context context, ITeardownContext info) =>
            journal.Add("teardown, " + (info.Successful ? "successful" : info.ThrownException.Message));
    }

    public sealed class TaskLifetime(Journal journal) : FrostingTaskLifetime<Context>
    {
        public override void Setup(Context context, ITaskSetupContext info) => journal.Add("before " + info.Task.Name);

        public override void Teardown(Context context, ITaskTeardownContext info) =>
            journal.Add($"after {info.Task.Name}{(info.Skipped ? ", skipped" : "")}{(info.Successful ? "" : ", " + info.ThrownException.Message)}");
    }

    public sealed class FailingSetup : FrostingSetup
    {
        public override void Setup(ICakeContext context, ISetupContext info) => throw new CakeException(5, "no docker");
    }

    public sealed class OtherSetup(Journal journal) : FrostingSetup
    {
        public override void Setup(ICakeContext context, ISetupContext info) => journal.Add("other setup");
    }

    public sealed class FailingTeardown : FrostingTeardown
    {
        public override void Teardown(ICakeContext context, ITeardownContext info) => throw new IOException("lock lost");
    }

    public sealed class OtherTaskSetup(Journal journal) : FrostingTaskSetup
    {
        public override void Setup(ICakeContext context, ITaskSetupContext info) => journal.Add("other before");
    }

    public sealed class OtherTaskTeardown(Journal journal) : FrostingTaskTeardown
    {
        public override void Teardown(ICakeContext context, ITaskTeardownContext info) => journal.Add("other after");
    }
}
