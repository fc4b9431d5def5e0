using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Benchmarks;

/// <summary>The library's own way to programs, which fetches those that are not here.</summary>
internal static class LibraryServices
{
    public static ServiceProvider Build()
    {
        var root = RepositoryRoot.Find();
        return new ServiceCollection()
            .AddSingleton(new RunOptions { Root = root, SettingsFile = Path.Combine(root, "deploy.yaml") })
            .AddSingleton<IReporter>(Silence.Instance)
            .AddProcesses()
            .AddTools()
            .BuildServiceProvider();
    }
}
