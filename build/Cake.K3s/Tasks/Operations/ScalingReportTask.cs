using Cake.Frosting;
using Cake.K3s.Operations.Scaling;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Show the figures that say when to scale: each with its value, its limit and what to do.</summary>
[TaskName("ScalingReport")]
[TaskDescription("Show the figures that say when to scale: each with its value, its limit and what to do.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class ScalingReportTask(Lazy<ScalingReport> report) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => report.Value.WriteAsync();
}
