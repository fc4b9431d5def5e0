namespace Cake.K3s.Sandbox.ApiServer.Storage;

/// <summary>One change of one object.</summary>
/// <param name="Object">The new state; for a deletion the last one, numbered with the deletion.</param>
/// <param name="Previous">The state before; null for a creation.</param>
/// <param name="Deleted">The object is gone.</param>
internal sealed record WatchEvent(StoredObject Object, StoredObject? Previous, bool Deleted);
