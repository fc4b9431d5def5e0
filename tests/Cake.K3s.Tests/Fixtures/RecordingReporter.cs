using System.Collections.Concurrent;
using Cake.K3s.Reporting;

namespace Cake.K3s.Tests.Fixtures;

/// <summary>Keeps what is reported.</summary>
internal sealed class RecordingReporter : IReporter
{
    private readonly ConcurrentQueue<RunEvent> _events = new();

    /// <summary>All events, in order.</summary>
    public IReadOnlyList<RunEvent> Events => [.. _events];

    /// <summary>The texts of all lines, in order.</summary>
    public IReadOnlyList<string> Lines => [.. _events.OfType<LineReported>().Select(line => line.Text)];

    public void Report(RunEvent runEvent) => _events.Enqueue(runEvent);
}
