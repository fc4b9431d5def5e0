using System.Collections.Concurrent;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Counts the requests that were repeated, by reason, so that a run can say how often it had to.</summary>
public sealed class RetryTally
{
    private readonly ConcurrentDictionary<string, int> _byReason = new(StringComparer.Ordinal);

    /// <summary>How many requests were repeated.</summary>
    public int Total => _byReason.Values.Sum();

    /// <summary>Counts one.</summary>
    internal void Add(string reason) => _byReason.AddOrUpdate(reason, 1, (_, count) => count + 1);

    /// <summary>E.g. <c>7 requests were repeated (429: 3, 503: 2, connection lost: 2)</c>.</summary>
    public override string ToString()
    {
        var reasons = _byReason.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}: {pair.Value}");
        return Total switch
        {
            0 => "no request was repeated",
            1 => $"1 request was repeated ({string.Join(", ", reasons)})",
            var total => $"{total} requests were repeated ({string.Join(", ", reasons)})",
        };
    }
}
