using Cake.Frosting;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;

namespace Cake.K3s.Tasks.Hardening;

/// <summary>Brings nodes up to date with Cloudflare's ranges.</summary>
[TaskName("RefreshCloudflareRanges")]
[TaskDescription("Ask Cloudflare for its addresses and bring the firewalls of nodes that let in Cloudflare alone up to date.")]
[Needs(Input.Environment)]
public sealed class RefreshCloudflareRangesTask(Lazy<CloudflareRefresh> refresh) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => refresh.Value.RefreshAsync();
}
