using Cake.Frosting;
using Cake.K3s.Engine;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Record the release and apply its manifests.</summary>
[TaskName("Deploy")]
[TaskDescription("Record the release and apply its manifests.")]
[Needs(Input.Manifests)]
[Requires(Requirement.Cluster)]
[IsDependentOn(typeof(MigrateTask))]
[FollowedBy(typeof(VerifyRolloutTask))]
public sealed class DeployTask(Lazy<Deployer> deployer) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => deployer.Value.DeployAsync();
}
