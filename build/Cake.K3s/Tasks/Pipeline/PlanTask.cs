using Cake.Frosting;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Show what a deploy would change in the cluster, and change nothing there.</summary>
[TaskName("Plan")]
[TaskDescription("Show what a deploy would change in the cluster, and change nothing there.")]
[Needs(Input.Manifests)]
[Requires(Requirement.Cluster)]
[IsDependentOn(typeof(BuildImageTask))]
public sealed class PlanTask(Lazy<Planner> planner) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => planner.Value.ShowAsync();
}
