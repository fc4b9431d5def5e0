namespace Cake.K3s.Sandbox.Node.Pods;

/// <summary>
/// The kubelet's pauses before a retry: none before the first, then 10 s, 20 s, 40 s … at most 5 min; forgotten after twice the maximum
/// without a failure (client-go's flowcontrol.Backoff).
/// </summary>
internal sealed class RestartBackOff
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);
    private readonly Dictionary<string, (TimeSpan Pause, DateTimeOffset Updated)> _entries = [];

    /// <summary>How long the retry of what failed at <paramref name="failedAt"/> has to wait yet; zero when it may happen now.</summary>
    public TimeSpan Remaining(string key, DateTimeOffset failedAt, DateTimeOffset now)
    {
        if (!_entries.TryGetValue(key, out var entry) || Expired(entry, failedAt))
        {
            return TimeSpan.Zero;
        }

        var left = failedAt + entry.Pause - now;
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <summary>The pause that applies, as messages name it.</summary>
    public TimeSpan Pause(string key) => _entries.TryGetValue(key, out var entry) ? entry.Pause : TimeSpan.Zero;

    /// <summary>Notes a retry: the next one has to wait longer.</summary>
    public void Next(string key, DateTimeOffset now)
    {
        var known = _entries.TryGetValue(key, out var entry) && !Expired(entry, now);
        var pause = known ? TimeSpan.FromTicks(Math.Min(entry.Pause.Ticks * 2, Longest.Ticks)) : First;
        _entries[key] = (pause, now);
    }

    public void Forget(string key) => _entries.Remove(key);

    /// <summary>A duration as Go writes it: 10s, 1m20s, 5m0s.</summary>
    public static string Format(TimeSpan pause) => pause.TotalMinutes < 1
        ? $"{(int)pause.TotalSeconds}s"
        : $"{(int)pause.TotalMinutes}m{pause.Seconds}s";

    private static bool Expired((TimeSpan Pause, DateTimeOffset Updated) entry, DateTimeOffset at) => at - entry.Updated > Longest * 2;
}
