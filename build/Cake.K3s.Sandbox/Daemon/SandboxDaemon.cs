using System.Runtime.InteropServices;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Tools;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>The process that a sandbox lives in, from its start to SIGTERM, the end of its owner, or the loss of its directory.</summary>
internal sealed class SandboxDaemon(DaemonOptions options, IServiceProvider services) : IAsyncDisposable
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _gate = new(1, 1);
    private SandboxParts? _parts;

    /// <summary>Runs a daemon to its end.</summary>
    /// <returns>The process' exit code.</returns>
    public static async Task<int> RunAsync(DaemonOptions options)
    {
        PrivateFiles.MakeDirectory(options.Directory.Root);
        using var only = TryLock(options.Directory.DaemonLock);
        if (only is null)
        {
            Console.Error.WriteLine("Another daemon has this sandbox.");
            return ExitCodes.Success;
        }

        RemoveOtherPrograms(options.Directory);
        await using var services = Services(options).BuildServiceProvider();
        await using var daemon = new SandboxDaemon(options, services);
        return await daemon.ServeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_parts is { } parts)
        {
            await parts.DisposeAsync();
        }

        _gate.Dispose();
    }

    private async Task<int> ServeAsync()
    {
        using var stop = new CancellationTokenSource();
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        var loggers = services.GetRequiredService<ILoggerFactory>();
        await using (await ControlServer.StartAsync(
            options.Directory, services.GetRequiredService<StepLog>(), PartsAsync, loggers, CancellationToken.None))
        {
            if (await IsAbandonedAsync(stop.Token))
            {
                loggers.CreateLogger("sandbox").LogWarning("the owner or the directory has gone: the sandbox removes itself");
                await DisposePartsAsync();
                await new SandboxRemoval(options.Directory, services.GetRequiredService<ICommandRunner>())
                    .RemoveAsync(purge: true, CancellationToken.None);
            }
        }

        return ExitCodes.Success;
    }

    private async Task<SandboxParts> PartsAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return _parts ??= await SandboxParts.PlanAsync(
                options,
                services.GetRequiredService<IToolbox>(),
                services.GetRequiredService<ICommandRunner>(),
                services.GetRequiredService<IReporter>(),
                services.GetRequiredService<ILoggerFactory>(),
                cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    private async Task DisposePartsAsync()
    {
        if (_parts is { } parts)
        {
            _parts = null;
            await parts.DisposeAsync();
        }
    }

    // True when nobody is left whom the sandbox could serve; false when it was told to end.
    private async Task<bool> IsAbandonedAsync(CancellationToken stop)
    {
        var owner = options.Owner is { } id ? ProcessTable.Find(id) : null;
        var lockFile = new FileInfo(options.Directory.DaemonLock);
        using var timer = new PeriodicTimer(LookInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                lockFile.Refresh();
                if (!lockFile.Exists || (options.Owner is not null && (owner is null || !ProcessTable.IsRunning(owner.Value))))
                {
                    return true;
                }
            }

            return false;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static ServiceCollection Services(DaemonOptions options)
    {
        var services = new ServiceCollection();
        services.AddLogging(logging => logging
            .AddFilter("Microsoft", LogLevel.Warning)
            .AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                console.TimestampFormat = "HH:mm:ss.fff ";
                console.UseUtcTimestamp = true;
            }));
        services.AddSingleton(new RunOptions
        {
            Root = Path.GetDirectoryName(options.Tools)!,
            SettingsFile = Path.Combine(Path.GetDirectoryName(options.Tools)!, "deploy.yaml"),
        });
        services.AddSingleton<StepLog>();
        services.AddSingleton<IReporter>(provider => provider.GetRequiredService<StepLog>());
        services.AddProcesses().AddTools();
        return services;
    }

    // The copies that daemons of earlier builds ran from.
    private static void RemoveOtherPrograms(SandboxDirectory directory)
    {
        var own = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        if (Path.GetDirectoryName(own) == directory.Programs)
        {
            foreach (var other in Directory.EnumerateDirectories(directory.Programs).Where(program => program != own))
            {
                Directory.Delete(other, recursive: true);
            }
        }
    }

    private static FileStream? TryLock(string path)
    {
        try
        {
            return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
