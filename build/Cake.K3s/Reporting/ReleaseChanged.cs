namespace Cake.K3s.Reporting;

/// <summary>A release was recorded in the cluster, or came further.</summary>
/// <param name="Number">Its number.</param>
/// <param name="State">How far it came: Pending, Applied, Verified, Failed, RolledBack or Superseded.</param>
/// <param name="Commit">The commit that was checked out; null outside git.</param>
/// <param name="IsDirty">Whether files differed from the commit.</param>
/// <param name="By">Who deployed it.</param>
/// <param name="SchemaVersion">The version of the database schema that its migration left; null if there is none.</param>
/// <param name="RollbackTo">The release whose manifests it put back; null for a deploy.</param>
public sealed record ReleaseChanged(int Number, string State, string? Commit, bool IsDirty, string By, string? SchemaVersion, int? RollbackTo) : RunEvent;
