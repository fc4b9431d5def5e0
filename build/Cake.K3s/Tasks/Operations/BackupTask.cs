using Cake.Frosting;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Make a backup of the database now, and of each server's etcd with the cluster's token, and find them in their bucket.</summary>
[TaskName("Backup")]
[TaskDescription("Make a backup of the database now, and of each server's etcd with the cluster's token, and find them in their bucket.")]
[Needs(Input.Environment)]
[Requires(Requirement.Cluster)]
public sealed class BackupTask(Lazy<DatabaseBackups> database, Lazy<EtcdBackups> etcd) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override async Task RunAsync(K3sContext context)
    {
        await database.Value.BackUpAsync();
        await etcd.Value.BackUpAsync();
    }
}
