using Cake.Frosting;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Watch the release until it has rolled out; put the last good one back if it fails.</summary>
[TaskName("VerifyRollout")]
[TaskDescription("Watch the release until it has rolled out; put the last good one back if it fails.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
[IsDependentOn(typeof(DeployTask))]
public sealed class VerifyRolloutTask(Lazy<RolloutVerifier> rolloutVerifier) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => rolloutVerifier.Value.VerifyAsync();
}
