using Cake.K3s.Hardening.Nodes.Firewall;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Hosting;
using Cake.K3s.Nodes;
using Cake.K3s.Nodes.Facts;

namespace Cake.K3s.Hardening.Nodes.CloudflareOnly;

/// <summary>Lets HTTP and HTTPS in from Cloudflare's proxies alone.</summary>
[ProvedBy("test nodes with systemd, sshd and UFW", null)]
internal sealed class CloudflareOnlyControl(PipelineRun run, NodeFleet fleet, CloudflareRangeSource source) : FirewallControl(run, fleet)
{
    /// <summary>The control's name.</summary>
    public const string ControlName = "CloudflareOnly";

    private CloudflareRanges? _ranges;

    /// <inheritdoc/>
    public override string Name => ControlName;

    /// <inheritdoc/>
    public override string Protects => "Who knows a node's address goes past Cloudflare: its firewall, its rate limits and its cache.";

    /// <inheritdoc/>
    protected override async Task PrepareAsync(bool changes, CancellationToken cancellationToken) =>
        _ranges = (changes || await source.LastGoodAsync(cancellationToken) is not { } known ? await source.GetAsync(cancellationToken) : known)
            .With(Environment.Edge?.OtherRanges ?? []);

    // Its plan touches the web ports alone, and is refused where it would cost the cluster or an operator a connection.
    /// <inheritdoc/>
    protected override bool OthersFollowTheFirst => true;

    /// <inheritdoc/>
    protected override RulePlan Plan(NodeFacts facts, UfwState state) => CloudflareRules.Plan(state.Rules, Ranges, [.. AccessTo(facts).Trusted]);

    /// <inheritdoc/>
    protected override string Describe(RulePlan plan) =>
        $"let {Ranges.All.Count()} ranges of Cloudflare's{(Environment.Edge?.OtherRanges is { IsDefaultOrEmpty: false } ? " and of another CDN's" : "")} in to 80 and 443 ({plan.Additions.Length} rules to add, {plan.Deletions.Length} stale or wider ones to delete)";

    /// <inheritdoc/>
    protected override string? Obstacle(NodeFacts facts, UfwState state) =>
        !IsOn(state) ? "UFW does not filter all that comes in; FirewallBaseline turns it on"
        : facts.Values(Name, "before").FirstOrDefault() is { } before ? $"connections to 80 or 443 are redirected before UFW sees them (a load balancer's pod or a hostPort): {before}"
        : CloudflareRules.TooWide(state.Rules, Ranges, [.. AccessTo(facts).Trusted]).FirstOrDefault() is { } wide ? $"this rule lets others in to 80 or 443 and to more than that, narrow it by hand: {wide}"
        : null;

    /// <inheritdoc/>
    protected override Task<NodeVerdict> ProveAsync(Node node, NodeFacts facts, CancellationToken cancellationToken) =>
        ProveAsync(node, facts, closed: CloudflareRules.Ports, needed: [], cancellationToken);

    private CloudflareRanges Ranges => _ranges ?? throw new InvalidOperationException("nothing was prepared");
}
