namespace Cake.K3s.Sandbox.Node.Engine;

/// <summary>An image in the engine's store.</summary>
/// <param name="Id">The engine's id.</param>
/// <param name="Digests">As <c>repository@sha256:…</c>.</param>
/// <param name="User">Whom its processes run as; empty is root.</param>
/// <param name="Size">In bytes.</param>
internal sealed record ImageRecord(string Id, IReadOnlyList<string> Digests, string User, long Size)
{
    /// <summary>What a container status names as imageID.</summary>
    public string StatusId => Digests.Count > 0 ? Digests[0] : Id;
}
