using Cake.Frosting;
using Cake.K3s.Hardening.Edge.EdgeCache;
using Cake.K3s.Operations.Regions;
using Cake.K3s.Requirements;
using Cake.K3s.Tasks.Pipeline;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Deploy the release to the environment and then to its other regions, each verified before the next.</summary>
[TaskName("Regions")]
[TaskDescription("Deploy the release to the environment and then to its other regions, each verified before the next.")]
[Needs(Input.Manifests)]
[Requires(Requirement.Cluster)]
[IsDependentOn(typeof(VerifyRolloutTask))]
public sealed class RegionsTask(Lazy<RegionRollout> regions, Lazy<EdgeCachePurge> cache) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override async Task RunAsync(K3sContext context)
    {
        await regions.Value.RunAsync();

        // A region that came later may have answered with the release before it.
        await cache.Value.PurgeAfterDeployAsync();
    }
}
