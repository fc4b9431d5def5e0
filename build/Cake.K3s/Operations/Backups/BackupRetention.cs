using System.Collections.Immutable;

namespace Cake.K3s.Operations.Backups;

/// <summary>Which backups are no longer kept.</summary>
internal static class BackupRetention
{
    /// <summary>The backups older than the limit, the oldest first; never the newest one, however old it is.</summary>
    /// <param name="backups">All of them.</param>
    /// <param name="now">The time.</param>
    /// <param name="days">How many days are kept.</param>
    public static ImmutableArray<StoredBackup> Expired(IEnumerable<StoredBackup> backups, DateTimeOffset now, int days) =>
    [
        .. backups
            .OrderByDescending(backup => backup.Name.MadeAt)
            .Skip(1)
            .Where(backup => now - backup.Name.MadeAt > TimeSpan.FromDays(days))
            .Reverse(),
    ];
}
