using System.Collections.Immutable;
using System.Diagnostics;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.BaseImages;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Sandbox.Opening;
using Cake.K3s.Settings;
using Cake.K3s.Tools;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.IntegrationTests.Sandbox;

/// <summary>A sandbox of a test's own: own directory, ports and addresses. It ends with the process that owns it, however that ends.</summary>
internal sealed class TestSandbox : IAsyncDisposable
{
    private readonly ServiceProvider _services;
    private readonly SandboxDirectory _directory;

    public TestSandbox(int? owner = null, string? dockerHost = null)
    {
        var root = Directory.CreateTempSubdirectory("cake-k3s-sandbox-").FullName;
        _directory = new SandboxDirectory(Path.Combine(root, ".sandbox"));
        Options = new DaemonOptions(
            _directory,
            Path.Combine(RepositoryRoot, ".tools"),
            new SandboxSettings { IngressPort = 0 },
            dockerHost,
            owner ?? Environment.ProcessId);
        _services = new ServiceCollection()
            .AddSingleton(new RunOptions { Root = RepositoryRoot, SettingsFile = Path.Combine(RepositoryRoot, "deploy.yaml") })
            .AddSingleton<IReporter, ToTestOutput>()
            .AddSingleton<DockerCredentials>()
            .AddSingleton<RegistryClients>()
            .AddSingleton<BaseImageStore>()
            .AddSingleton<SandboxSigningKey>()
            .AddSingleton<DaemonClient>()
            .AddProcesses()
            .AddTools()
            .BuildServiceProvider();
    }

    public DaemonOptions Options { get; }

    public SandboxDirectory Directories => _directory;

    public T Get<T>()
        where T : notnull => _services.GetRequiredService<T>();

    /// <summary>Skips the test where a sandbox cannot run; on CI that is a failure.</summary>
    public static void Require()
    {
        if (OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess)
        {
            return;
        }

        const string Reason = "a private Docker engine needs root on Linux";
        if (EnvironmentVariables.OfProcess.IsCI)
        {
            Assert.Fail(Reason);
        }

        Assert.Ignore(Reason);
    }

    public Task<SandboxAddresses> OpenAsync() => Get<DaemonClient>().OpenAsync(Options, CancellationToken.None);

    public async Task<SandboxStatus> StatusAsync() =>
        await Get<DaemonClient>().StatusAsync(_directory, CancellationToken.None) ?? throw new InvalidOperationException("no daemon runs");

    public Task RemoveAsync(bool purge) => new SandboxRemoval(_directory, Get<ICommandRunner>()).RemoveAsync(purge, CancellationToken.None);

    /// <summary>The process of a part, or of one of the engine's own.</summary>
    public ProcessIdentity? ProcessOf(string part) => part switch
    {
        "daemon" => ProcessTable.FindByArgument(["dotnet"], "--directory=" + _directory.Root),
        "containerd" => ProcessTable.FindByArgument(["containerd"], Path.Combine(_directory.EngineRuntime, "containerd", "containerd.toml")),
        "engine" => ProcessTable.FindByArgument(["dockerd"], "--config-file=" + _directory.EngineConfiguration),
        "registry" => ProcessTable.FindByArgument(["docker-registry"], _directory.RegistryConfiguration),
        "postgres" => ProcessTable.FindByArgument(["postgres"], _directory.DatabaseData),
        _ => throw new ArgumentOutOfRangeException(nameof(part)),
    };

    /// <summary>The reference of a base image, which is made if need be.</summary>
    public async Task<string> BaseImageAsync(string name)
    {
        var registry = (await OpenAsync()).Registry;
        var arguments = ImmutableDictionary<string, ImmutableDictionary<string, string>>.Empty
            .Add("app", ImmutableDictionary<string, string>.Empty.Add("BASE", "sandbox://" + name));
        var resolved = await Get<BaseImageStore>().ResolveAsync(
            arguments,
            "deploy.yaml",
            _directory,
            new RegistryConnection(registry, "app", Insecure: true, _directory.DockerConfig),
            CancellationToken.None);
        return resolved["app"]["BASE"];
    }

    /// <summary>Waits for something that another process brings about.</summary>
    public static async Task UntilAsync(Func<bool> condition, TimeSpan within)
    {
        var start = Stopwatch.GetTimestamp();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!condition() && Stopwatch.GetElapsedTime(start) < within)
        {
            await timer.WaitForNextTickAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await RemoveAsync(purge: true);
        await _services.DisposeAsync();
        Directory.Delete(Path.GetDirectoryName(_directory.Root)!, recursive: true);
    }

    // Where .tools/ is kept from run to run.
    public static string RepositoryRoot
    {
        get
        {
            var directory = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(directory.FullName, "Cake.K3s.slnx")))
            {
                directory = directory.Parent ?? throw new InvalidOperationException("these tests do not run inside the repository");
            }

            return directory.FullName;
        }
    }

    private sealed class ToTestOutput : IReporter
    {
        public void Report(RunEvent runEvent) => TestContext.Progress.WriteLine(runEvent);
    }
}
