namespace Cake.K3s.Operations.Backups;

/// <summary>A backup that is in the bucket.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Its size.</param>
internal sealed record StoredBackup(BackupName Name, long Bytes);
