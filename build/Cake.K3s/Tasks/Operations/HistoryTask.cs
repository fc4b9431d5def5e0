using Cake.Frosting;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Reporting;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>List the releases of the environment.</summary>
[TaskName("History")]
[TaskDescription("List the releases of the environment.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
[LeavesNoReport]
public sealed class HistoryTask(Lazy<History> history) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => history.Value.WriteAsync();
}
