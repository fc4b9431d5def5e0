using Cake.Frosting;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Restore a backup into an empty database: --into=SECRET, --backup=NAME or the newest.</summary>
[TaskName("Restore")]
[TaskDescription("Restore a backup into an empty database: --into=SECRET, --backup=NAME or the newest.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class RestoreTask(Lazy<DatabaseBackups> backups) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => backups.Value.RestoreAsync();
}
