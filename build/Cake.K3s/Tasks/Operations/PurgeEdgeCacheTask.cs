using Cake.Frosting;
using Cake.K3s.Hardening.Edge.EdgeCache;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Drop from Cloudflare's cache what the rules of edge.cache keep.</summary>
[TaskName("PurgeEdgeCache")]
[TaskDescription("Drop from Cloudflare's cache what the rules of edge.cache keep.")]
[Needs(Input.Environment)]
public sealed class PurgeEdgeCacheTask(Lazy<EdgeCachePurge> cache) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => cache.Value.PurgeAsync();
}
