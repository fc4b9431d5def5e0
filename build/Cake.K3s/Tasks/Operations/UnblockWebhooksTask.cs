using Cake.Frosting;
using Cake.K3s.Hardening.Cluster.Webhooks;
using Cake.K3s.Requirements;

namespace Cake.K3s.Tasks.Operations;

/// <summary>Show admission webhooks that block the cluster because nobody answers; with --confirm delete them.</summary>
[TaskName("UnblockWebhooks")]
[TaskDescription("Show admission webhooks that block the cluster because nobody answers; with --confirm delete them.")]
[Needs(Input.Environment)]
[ShowsUnlessConfirmed]
[Requires(Requirement.Cluster)]
public sealed class UnblockWebhooksTask(Lazy<WebhookRecovery> recovery) : AsyncFrostingTask<K3sContext>
{
    /// <inheritdoc/>
    public override Task RunAsync(K3sContext context) => recovery.Value.RecoverAsync();
}
