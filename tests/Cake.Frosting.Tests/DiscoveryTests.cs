using System.Reflection;
using System.Reflection.Emit;
using Cake.Core;

namespace Cake.Frosting.Tests;

public sealed class DiscoveryTests : HostTest
{
    [Test]
    public void Should_Find_The_Public_Tasks_Of_An_Assembly()
    {
        var assembly = AssemblyWith(
            ("Found", TypeAttributes.Public, typeof(FrostingTask)),
            ("Base", TypeAttributes.Public | TypeAttributes.Abstract, typeof(FrostingTask)),
            ("NoTask", TypeAttributes.Public, typeof(object)));

        Host().AddAssembly(assembly).AddAssembly(assembly).Run(["--description"]);

        Assert.That(Console.Output.TrimEnd().Split('\n').Skip(3), Is.EqualTo(["Found"]));
    }

    [Test]
    public void Should_Find_All_Tasks_Of_A_Compiled_Assembly_Though_Most_Types_Are_Not_Loaded()
    {
        var assembly = typeof(DiscoveryTests).Assembly;

        var (tasks, warnings) = Graph.TaskDiscovery.Find([assembly]);

        var all = assembly.GetTypes().Where(type => typeof(IFrostingTask).IsAssignableFrom(type) && !type.IsAbstract).ToList();
        Assert.That(tasks, Is.EquivalentTo(all.Where(type => type.IsVisible)));
        Assert.That(warnings, Has.Count.EqualTo(all.Count(type => !type.IsVisible)).And.Some.Contains(nameof(HiddenBareTask)));
    }

    [Test]
    public void Should_Warn_When_A_Task_Class_Is_Not_Public()
    {
        Host().AddAssembly(AssemblyWith(("Hidden", TypeAttributes.NotPublic, typeof(FrostingTask)))).Run(["--description"]);

        Assert.That(Console.Output, Does.Contain("The task class 'Hidden' is not public, so it is not used."));
        Assert.That(Console.Output.TrimEnd(), Does.EndWith("===="));
    }

    [Test]
    public void Should_Be_One_Task_When_It_Is_Also_Registered_By_Hand()
    {
        var assembly = AssemblyWith(("Found", TypeAttributes.Public, typeof(FrostingTask)));

        Assert.That(Host(assembly.GetType("Found")!).AddAssembly(assembly).Run(["--target=Found"]), Is.Zero);
    }

    [Test]
    public void Should_Warn_When_A_Task_Is_Async_Void()
    {
        Host(typeof(AsyncVoid)).Run(["--tree"]);

        Assert.That(Console.Output, Does.Contain("Task 'AsyncVoid' overrides Run with async void"));
    }

    [Test]
    public void Should_Leave_Out_A_Task_With_A_Warning_When_It_Needs_Another_Context()
    {
        var exitCode = Host(typeof(WithContext), typeof(WithoutContext)).Run(["--target=WithoutContext"]);

        Assert.That(exitCode, Is.Zero);
        Assert.That(Console.Output, Does.Contain($"Task 'WithContext' cannot be used since the context isn't convertible to {typeof(Context).FullName}."));
    }

    [Test]
    public void Should_Give_The_Context_That_Is_Used()
    {
        Host(typeof(WithContext)).UseContext<FrostingContext>().UseContext<Context>().Run(["--target=WithContext"]);

        Assert.That(Journal.Entries, Is.EqualTo(["same context"]));
    }

    [Test]
    public void Should_Let_A_Startup_Class_Add_Services()
    {
        Host().UseStartup<Startup>().Run(["--description"]);

        Assert.That(Console.Output, Does.Contain(nameof(WithoutContext)));
    }

    private static Assembly AssemblyWith(params (string Name, TypeAttributes Attributes, Type Base)[] classes)
    {
        var assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("Tasks"), AssemblyBuilderAccess.Run);
        var module = assembly.DefineDynamicModule("Tasks");
        foreach (var (name, attributes, baseClass) in classes)
        {
            module.DefineType(name, attributes, baseClass).CreateType();
        }

        return assembly;
    }

    public sealed class Context(ICakeContext context) : FrostingContext(context);

    public sealed class WithContext(Journal journal, IFrostingContext injected) : AsyncFrostingTask<Context>
    {
        public override Task RunAsync(Context context)
        {
            journal.Add(ReferenceEquals(injected, context) ? "same context" : "another context");
            return Task.CompletedTask;
        }
    }

    public sealed class WithoutContext(Journal journal) : Entered(journal);

    public sealed class AsyncVoid : FrostingTask
    {
        public override async void Run(ICakeContext context) => await Task.Yield();
    }

    public sealed class Startup : IFrostingStartup
    {
        public void Configure(Microsoft.Extensions.DependencyInjection.IServiceCollection services) =>
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton<IFrostingTask, WithoutContext>(services);
    }

    private sealed class HiddenBareTask : IFrostingTask
    {
        public Task RunAsync(ICakeContext context) => Task.CompletedTask;

        public bool ShouldRun(ICakeContext context) => true;

        public void OnError(Exception exception, ICakeContext context)
        {
        }

        public void Finally(ICakeContext context)
        {
        }
    }
}
