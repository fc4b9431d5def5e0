using CliWrap;
using CliWrap.EventStream;

namespace Benchmarks;

/// <summary>A distribution registry on a free port of the loopback, with nothing in it.</summary>
internal sealed class EmptyRegistry : IAsyncDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("cake-k3s-bench-registry-");
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public string Host { get; private set; } = "";

    public static async Task<EmptyRegistry> StartAsync()
    {
        var registry = new EmptyRegistry();
        var configuration = Path.Combine(registry._directory.FullName, "registry.yml");
        await File.WriteAllTextAsync(configuration, $$$"""
            version: 0.1
            log: {accesslog: {disabled: true}}
            storage: {filesystem: {rootdirectory: {{{registry._directory.FullName}}}/data}}
            http: {addr: "127.0.0.1:0", secret: bench}
            """);
        var listening = new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously);
        registry._running = registry.RunAsync(configuration, listening);
        registry.Host = await listening.Task;
        return registry;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task RunAsync(string configuration, TaskCompletionSource<string> listening)
    {
        const string Mark = "listening on ";
        try
        {
            await foreach (var happened in Cli.Wrap("docker-registry").WithArguments(["serve", configuration]).ListenAsync(_stop.Token))
            {
                if (happened is StandardErrorCommandEvent { Text: var line } && line.IndexOf(Mark, StringComparison.Ordinal) is var at and >= 0)
                {
                    listening.TrySetResult(line[(at + Mark.Length)..].Split(['"', ','])[0]);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped.
        }
        catch (Exception failure)
        {
            listening.TrySetException(failure);
        }
    }
}
