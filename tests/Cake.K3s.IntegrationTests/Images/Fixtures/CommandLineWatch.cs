using System.Collections.Concurrent;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>Reads the command lines of all processes of this machine, over and over, as any user of it can.</summary>
internal sealed class CommandLineWatch : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<string, byte> _seen = new();
    private readonly Task _watching;

    public CommandLineWatch() => _watching = Task.Run(WatchAsync);

    /// <summary>Every command line that was seen, its arguments separated by spaces.</summary>
    public IEnumerable<string> Seen => _seen.Keys;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _watching;
        _stop.Dispose();
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(5));
        while (!_stop.IsCancellationRequested)
        {
            foreach (var process in Directory.EnumerateDirectories("/proc").Where(path => char.IsAsciiDigit(path[6])))
            {
                try
                {
                    _seen.TryAdd(File.ReadAllText(Path.Combine(process, "cmdline")).Replace('\0', ' '), 0);
                }
                catch (IOException)
                {
                    // It has ended.
                }
            }

            await timer.WaitForNextTickAsync(CancellationToken.None);
        }
    }
}
