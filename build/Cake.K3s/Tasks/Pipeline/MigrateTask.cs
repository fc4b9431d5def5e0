using Cake.Frosting;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Pipeline;

/// <summary>Run the release's database migration as a Job, once, before anything of it is applied.</summary>
[TaskName("Migrate")]
[TaskDescription("Run the release's database migration as a Job, once, before anything of it is applied.")]
[Needs(Input.Manifests)]
[Requires(Requirement.Cluster)]
[IsDependentOn(typeof(PushTask))]
public sealed class MigrateTask(Lazy<Planner> planner, Lazy<Migrator> migrator) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override async Task RunAsync(K3sContext context)
    {
        await planner.Value.CheckAsync();
        await migrator.Value.MigrateAsync();
    }
}
