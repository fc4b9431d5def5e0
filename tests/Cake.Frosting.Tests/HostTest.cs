using Cake.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting.Tests;

/// <summary>Runs a real host with the task classes of one test, which are registered by hand: they are nested in the fixtures.</summary>
public abstract class HostTest
{
    private CakeHost _host = null!;

    protected FakeConsole Console { get; private set; } = null!;

    protected Journal Journal { get; private set; } = null!;

    [SetUp]
    public void MakeHost()
    {
        Console = new FakeConsole();
        Journal = new Journal();
        _host = new CakeHost().ConfigureServices(services => services.AddSingleton<IConsole>(Console).AddSingleton(Journal));
    }

    protected CakeHost Host(params Type[] tasks) => _host.ConfigureServices(services =>
    {
        foreach (var task in tasks)
        {
            services.AddSingleton(typeof(IFrostingTask), task);
        }
    });

    /// <summary>A task that enters its name.</summary>
    public abstract class Entered(Journal journal) : FrostingTask
    {
        public override void Run(ICakeContext context) => journal.Add(TaskName);

        private string TaskName => GetType().Name;
    }
}
