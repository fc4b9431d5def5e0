namespace Cake.K3s.Reporting.Progress;

/// <summary>
/// Lets lines of progress through at most one a second over all sources, each source's latest in turn. What a source says in the end does
/// not go this way: it is <see cref="Drop">dropped</see> here. Safe to call from many threads.
/// </summary>
internal sealed class ThrottledLines(TimeProvider time, Action<string, string> write) : IDisposable
{
    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Pending> _pending = new(StringComparer.Ordinal);
    private DateTimeOffset _next = DateTimeOffset.MinValue;

    /// <summary>Takes a line; one that waits is replaced by a later one of its source.</summary>
    public void Add(string source, string text)
    {
        lock (_gate)
        {
            var now = time.GetUtcNow();
            if (_pending.TryGetValue(source, out var waiting))
            {
                waiting.Text = text;
                return;
            }

            if (now < _next)
            {
                // The timer runs in the caller's context, so that the line is counted to the caller's task.
                var pending = new Pending(text);
                _pending.Add(source, pending);
                pending.Timer = time.CreateTimer(_ => Write(source), null, _next - now, Timeout.InfiniteTimeSpan);
                _next += Between;
                return;
            }

            _next = now + Between;
        }

        write(source, text);
    }

    /// <summary>Forgets what waits of a source.</summary>
    public void Drop(string source) => Take(source);

    /// <summary>Forgets all that waits.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var pending in _pending.Values)
            {
                pending.Timer?.Dispose();
            }

            _pending.Clear();
        }
    }

    private void Write(string source)
    {
        if (Take(source) is { } text)
        {
            write(source, text);
        }
    }

    private string? Take(string source)
    {
        lock (_gate)
        {
            if (!_pending.Remove(source, out var pending))
            {
                return null;
            }

            pending.Timer?.Dispose();
            return pending.Text;
        }
    }

    private sealed class Pending(string text)
    {
        public string Text { get; set; } = text;

        public ITimer? Timer { get; set; }
    }
}
