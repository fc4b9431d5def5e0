using Cake.Frosting;
using Cake.K3s.Operations.Backups;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Show which backups are older than they are kept; --confirm deletes them.</summary>
[TaskName("PruneBackups")]
[TaskDescription("Show which backups are older than they are kept; --confirm deletes them.")]
[Needs(Input.Environment)]
[ShowsUnlessConfirmed]
public sealed class PruneBackupsTask(Lazy<DatabaseBackups> backups) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => backups.Value.PruneAsync();
}
