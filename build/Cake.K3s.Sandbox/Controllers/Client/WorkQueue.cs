using System.Threading.Channels;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>Keys to reconcile: a key waits at most once, and is never handed to two workers at a time.</summary>
internal sealed class WorkQueue(TimeProvider time) : IDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LastRetry = TimeSpan.FromSeconds(30);
    private readonly Lock _gate = new();
    private readonly Channel<ObjectKey> _ready = Channel.CreateUnbounded<ObjectKey>();
    private readonly HashSet<ObjectKey> _waiting = [];
    private readonly HashSet<ObjectKey> _running = [];
    private readonly Dictionary<ObjectKey, int> _failures = [];
    private readonly Dictionary<ObjectKey, (DateTimeOffset Due, ITimer Timer)> _later = [];

    public void Add(ObjectKey key)
    {
        lock (_gate)
        {
            if (_waiting.Add(key) && !_running.Contains(key))
            {
                _ready.Writer.TryWrite(key);
            }
        }
    }

    /// <summary>Adds the key after a while; of several calls for a key the earliest counts.</summary>
    public void AddAfter(ObjectKey key, TimeSpan delay)
    {
        if (delay <= TimeSpan.Zero)
        {
            Add(key);
            return;
        }

        lock (_gate)
        {
            var due = time.GetUtcNow() + delay;
            if (_later.TryGetValue(key, out var known))
            {
                if (known.Due <= due)
                {
                    return;
                }

                known.Timer.Dispose();
            }

            _later[key] = (due, time.CreateTimer(_ => Fire(key), null, delay, Timeout.InfiniteTimeSpan));
        }
    }

    /// <summary>Adds the key after a pause that doubles with each failure.</summary>
    public void Retry(ObjectKey key)
    {
        TimeSpan delay;
        lock (_gate)
        {
            var failures = _failures[key] = _failures.GetValueOrDefault(key) + 1;
            delay = TimeSpan.FromTicks(Math.Min(FirstRetry.Ticks << Math.Min(failures - 1, 20), LastRetry.Ticks));
        }

        AddAfter(key, delay);
    }

    public void Forget(ObjectKey key)
    {
        lock (_gate)
        {
            _failures.Remove(key);
        }
    }

    public async Task<ObjectKey> TakeAsync(CancellationToken cancellationToken)
    {
        var key = await _ready.Reader.ReadAsync(cancellationToken);
        lock (_gate)
        {
            _waiting.Remove(key);
            _running.Add(key);
        }

        return key;
    }

    public void Done(ObjectKey key)
    {
        lock (_gate)
        {
            _running.Remove(key);
            if (_waiting.Contains(key))
            {
                _ready.Writer.TryWrite(key);
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var (_, timer) in _later.Values)
            {
                timer.Dispose();
            }

            _later.Clear();
        }
    }

    private void Fire(ObjectKey key)
    {
        lock (_gate)
        {
            if (_later.Remove(key, out var entry))
            {
                entry.Timer.Dispose();
            }
        }

        Add(key);
    }
}
