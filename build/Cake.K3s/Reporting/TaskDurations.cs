using System.Collections.Concurrent;
using System.Collections.Immutable;

namespace Cake.K3s.Reporting;

/// <summary>How long the tasks of this run took, for the record that is kept of it.</summary>
internal sealed class TaskDurations(TimeProvider time) : IRunObserver
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _running = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TimeSpan> _ended = new(StringComparer.Ordinal);

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        switch (runEvent)
        {
            case TaskStarted started:
                _running[started.Name] = started.At;
                break;
            case TaskEnded ended:
                _running.TryRemove(ended.Name, out _);
                _ended[ended.Name] = ended.Duration;
                break;
        }
    }

    /// <summary>Seconds by the name of the task; one that still runs counts up to now.</summary>
    public ImmutableSortedDictionary<string, double> Seconds()
    {
        var now = time.GetUtcNow();
        return _ended.Concat(_running.Select(task => KeyValuePair.Create(task.Key, now - task.Value)))
            .ToImmutableSortedDictionary(task => task.Key, task => Math.Round(task.Value.TotalSeconds, 3), StringComparer.Ordinal);
    }
}
