using Cake.Frosting;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Show which connections the cluster's NetworkPolicies let through, and by which of them.</summary>
[TaskName("Flows")]
[TaskDescription("Show which connections the cluster's NetworkPolicies let through, and by which of them.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class FlowsTask(Lazy<FlowsReport> report) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => report.Value.WriteAsync();
}
