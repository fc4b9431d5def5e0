using System.Collections.Concurrent;
using Cake.K3s.Reporting;

namespace Cake.K3s.IntegrationTests.Kubernetes;

internal sealed class RecordingReporter : IReporter
{
    public ConcurrentQueue<LineReported> Lines { get; } = new();

    public void Report(RunEvent runEvent)
    {
        if (runEvent is LineReported line)
        {
            Lines.Enqueue(line);
        }
    }
}
