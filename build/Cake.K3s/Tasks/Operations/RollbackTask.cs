using Cake.Frosting;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Put an earlier release back: --to=NUMBER, or the last good one.</summary>
[TaskName("Rollback")]
[TaskDescription("Put an earlier release back: --to=NUMBER, or the last good one.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class RollbackTask(Lazy<Rollback> rollback) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => rollback.Value.RollBackAsync();
}
