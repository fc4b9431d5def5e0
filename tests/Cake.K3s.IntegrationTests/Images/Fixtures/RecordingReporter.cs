using System.Collections.Concurrent;
using Cake.K3s.Reporting;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>Keeps what was reported.</summary>
internal sealed class RecordingReporter : IReporter
{
    public ConcurrentQueue<RunEvent> Events { get; } = new();

    public IEnumerable<string> Lines => Events.OfType<LineReported>().Select(line => $"{line.Source}: {line.Text}");

    public void Report(RunEvent runEvent) => Events.Enqueue(runEvent);
}
