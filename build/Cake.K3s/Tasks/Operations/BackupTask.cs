using Cake.Frosting;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Make a backup of the database now, and find it in its bucket.</summary>
[TaskName("Backup")]
[TaskDescription("Make a backup of the database now, and find it in its bucket.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class BackupTask(Lazy<DatabaseBackups> backups) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => backups.Value.BackUpAsync();
}
