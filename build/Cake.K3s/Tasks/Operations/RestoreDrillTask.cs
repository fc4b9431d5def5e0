using Cake.Frosting;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Restore the newest backup into a database of its own, compare the rows, drop it, and tell how long it took.</summary>
[TaskName("RestoreDrill")]
[TaskDescription("Restore the newest backup into a database of its own, compare the rows, drop it, and tell how long it took.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class RestoreDrillTask(Lazy<DatabaseBackups> backups) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => backups.Value.DrillAsync();
}
