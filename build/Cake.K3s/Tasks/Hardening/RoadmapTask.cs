using Cake.Frosting;
using Cake.K3s.Hardening.Roadmap;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Show every control and operation: in place, drifted or missing, and when it was last proved.</summary>
[TaskName("Roadmap")]
[TaskDescription("Show every control and operation: in place, drifted or missing, and when it was last proved.")]
[Needs(Input.Environment)]
public sealed class RoadmapTask(Lazy<RoadmapReport> report) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => report.Value.WriteAsync();
}
