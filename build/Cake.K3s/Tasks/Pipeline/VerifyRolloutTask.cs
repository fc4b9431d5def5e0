using Cake.Frosting;
using Cake.K3s.Hardening.Edge.EdgeCache;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Watch the release until it has rolled out; put the last good one back if it fails.</summary>
[TaskName("VerifyRollout")]
[TaskDescription("Watch the release until it has rolled out; put the last good one back if it fails.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
[IsDependentOn(typeof(DeployTask))]
public sealed class VerifyRolloutTask(Lazy<RolloutVerifier> rolloutVerifier, Lazy<EdgeCachePurge> cache) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override async Task RunAsync(K3sContext context)
    {
        try
        {
            await rolloutVerifier.Value.VerifyAsync();
        }
        catch (K3sException failure) when (failure.ExitCode == ExitCodes.RolledBack)
        {
            // What the release answered while it ran is not what is there now.
            await cache.Value.PurgeAfterDeployAsync();
            throw;
        }

        await cache.Value.PurgeAfterDeployAsync();
    }
}
