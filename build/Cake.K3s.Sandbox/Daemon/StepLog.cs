using System.Collections.Concurrent;
using System.Threading.Channels;
using Cake.K3s.Reporting;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>Passes what the daemon does on to everybody who is waiting for it.</summary>
internal sealed class StepLog : IReporter
{
    private readonly ConcurrentDictionary<Channel<LineReported>, bool> _readers = new();

    public void Report(RunEvent runEvent)
    {
        if (runEvent is LineReported line)
        {
            foreach (var reader in _readers.Keys)
            {
                reader.Writer.TryWrite(line);
            }
        }
    }

    /// <summary>The lines from now on, while work is under way; then how the work ended is thrown or not.</summary>
    public async IAsyncEnumerable<LineReported> WhileAsync(Func<Task> work)
    {
        var channel = Channel.CreateUnbounded<LineReported>();
        _readers[channel] = true;
        try
        {
            var running = work();
            _ = running.ContinueWith(_ => channel.Writer.Complete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            await foreach (var line in channel.Reader.ReadAllAsync(CancellationToken.None))
            {
                yield return line;
            }

            await running;
        }
        finally
        {
            _readers.TryRemove(channel, out _);
        }
    }
}
