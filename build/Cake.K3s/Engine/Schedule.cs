namespace Cake.K3s.Engine;

/// <summary>Which tasks may start now. It starts and waits for nothing itself.</summary>
/// <param name="order">Every task of the run, each after what it depends on.</param>
/// <param name="dependencies">What each task depends on.</param>
/// <param name="runAlone">The tasks beside which no other one runs.</param>
internal sealed class Schedule(IEnumerable<string> order, ILookup<string, string> dependencies, IReadOnlySet<string> runAlone)
{
    private readonly List<string> _waiting = [.. order];
    private readonly HashSet<string> _running = new(StringComparer.OrdinalIgnoreCase);
    private readonly HashSet<string> _done = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes the tasks that may start; they count as running from here on.</summary>
    public IReadOnlyList<string> Start()
    {
        List<string> started = [];
        foreach (var task in _waiting.Where(task => dependencies[task].All(_done.Contains)))
        {
            if (_running.Overlaps(runAlone))
            {
                break;
            }

            // One that runs alone holds back what comes after it, or it would never find itself alone.
            if (runAlone.Contains(task) && _running.Count > 0)
            {
                break;
            }

            _running.Add(task);
            started.Add(task);
        }

        _waiting.RemoveAll(started.Contains);
        return started;
    }

    /// <summary>A task ended so that what depends on it may run.</summary>
    public void Complete(string task)
    {
        _running.Remove(task);
        _done.Add(task);
    }

    /// <summary>A task failed: what depends on it will not start.</summary>
    public void Fail(string task) => _running.Remove(task);

    /// <summary>Nothing more will start.</summary>
    public void Stop() => _waiting.Clear();
}
