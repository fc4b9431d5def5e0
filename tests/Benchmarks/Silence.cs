using Cake.K3s.Reporting;

namespace Benchmarks;

/// <summary>Takes reports, and says nothing.</summary>
internal sealed class Silence : IReporter
{
    public static readonly Silence Instance = new();

    public void Report(RunEvent runEvent)
    {
    }
}
