using Cake.Frosting;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Reporting;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Show what is deployed and how it is.</summary>
[TaskName("Status")]
[TaskDescription("Show what is deployed and how it is.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
[LeavesNoReport]
public sealed class StatusTask(Lazy<Status> status) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => status.Value.WriteAsync();
}
