using Cake.Frosting;
using Cake.K3s.Hardening.Edge.EdgeCache;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Put an earlier release back: --to=NUMBER, or the last good one.</summary>
[TaskName("Rollback")]
[TaskDescription("Put an earlier release back: --to=NUMBER, or the last good one.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class RollbackTask(Lazy<Rollback> rollback, Lazy<EdgeCachePurge> cache) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override async Task RunAsync(K3sContext context)
    {
        await rollback.Value.RollBackAsync();
        await cache.Value.PurgeAfterDeployAsync();
    }
}
