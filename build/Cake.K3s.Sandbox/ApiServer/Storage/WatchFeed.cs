using System.Threading.Channels;

namespace Cake.K3s.Sandbox.ApiServer.Storage;

/// <summary>The changes of one resource as they happen. A reader that falls too far behind is cut off, as a real server does.</summary>
internal sealed class WatchFeed(long revision, Func<WatchFeed, bool> unsubscribe, Lock gate) : IDisposable
{
    private const int Capacity = 20_000;

    private readonly Channel<WatchEvent> _changes = Channel.CreateBounded<WatchEvent>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });

    /// <summary>The number of the latest change when the feed began.</summary>
    public long Revision { get; } = revision;

    public ChannelReader<WatchEvent> Changes => _changes.Reader;

    public void Offer(WatchEvent change)
    {
        if (!_changes.Writer.TryWrite(change))
        {
            _changes.Writer.TryComplete();
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            unsubscribe(this);
        }
    }
}
