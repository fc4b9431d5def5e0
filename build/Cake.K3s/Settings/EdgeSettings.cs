using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>What stands in front of the nodes.</summary>
public sealed record EdgeSettings
{
    /// <summary>The Cloudflare zone's name, e.g. <c>example.com</c>.</summary>
    public string? CloudflareZone { get; init; }

    /// <summary>Where Cloudflare's API token comes from.</summary>
    public SecretSource? CloudflareToken { get; init; }

    /// <summary>The address of Cloudflare's API; another one only for a stand-in.</summary>
    [Pattern("^https?://[^ ]+$", "an address that begins with https://")]
    public string CloudflareApi { get; init; } = "https://api.cloudflare.com/client/v4";

    /// <summary>
    /// Ranges of another CDN that CloudflareOnly lets in to the nodes beside Cloudflare's, e.g. <c>203.0.113.0/24</c>: for the day when
    /// Cloudflare is to be left.
    /// </summary>
    public ImmutableArray<string> OtherRanges { get; init; } = [];

    /// <summary>Certificates between Cloudflare and the nodes; null leaves them as they are.</summary>
    public OriginTlsSettings? OriginTls { get; init; }

    /// <summary>What Cloudflare answers from its cache; null leaves it as it is.</summary>
    public EdgeCacheSettings? Cache { get; init; }

    /// <summary>One host for several regions; null for none.</summary>
    public LoadBalancerSettings? LoadBalancer { get; init; }
}

/// <summary>Certificates between Cloudflare and the nodes, for the control <c>OriginTls</c>.</summary>
public sealed record OriginTlsSettings
{
    /// <summary>
    /// The names in the certificate, e.g. <c>example.com</c> and <c>*.example.com</c> (one level deep); the hosts of the app's Ingresses
    /// where none is given.
    /// </summary>
    public ImmutableArray<string> Hostnames { get; init; } = [];

    /// <summary>
    /// Proxied names of the zone that other servers than these nodes answer, with a certificate that Cloudflare trusts: with
    /// <c>strict</c> every other one would answer 526.
    /// </summary>
    public ImmutableArray<string> ServedElsewhere { get; init; } = [];

    /// <summary>The Secret of the certificate.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public string Secret { get; init; } = "origin-tls";

    /// <summary>How many days it is valid: 7, 30, 90, 365, 730, 1095 or 5475.</summary>
    [Between(7, 5475)]
    public int ValidDays { get; init; } = 365;

    /// <summary>Audit calls a certificate drifted that ends in fewer days than this, and Harden replaces it.</summary>
    [Between(1, 365)]
    public int RenewDays { get; init; } = 30;

    /// <summary>
    /// Where the nodes answer TLS, as <c>host:port</c>, for the proof; port 443 of every node of <see cref="EnvironmentSettings.Nodes"/>, asked
    /// on the node itself, where none is given.
    /// </summary>
    public ImmutableArray<string> Origins { get; init; } = [];

    /// <summary>Whether the nodes ask for Cloudflare's own certificate (Authenticated Origin Pulls, with a certificate of this zone's).</summary>
    public OriginPullMode OriginPulls { get; init; }
}

/// <summary>Whether the nodes ask who connects to them for a certificate.</summary>
public enum OriginPullMode
{
    /// <summary>They do not.</summary>
    Off,

    /// <summary>Cloudflare shows one; a connection that shows another one is refused, and one that shows none is not.</summary>
    IfGiven,

    /// <summary>A connection without it is refused.</summary>
    Required,
}

/// <summary>What Cloudflare answers from its cache, for the control <c>EdgeCache</c>.</summary>
public sealed record EdgeCacheSettings
{
    /// <summary>The rules, in order; of those that match a request the last one decides.</summary>
    public required ImmutableArray<EdgeCacheRule> Rules { get; init; }

    /// <summary>Whether VerifyRollout drops what the rules keep when a release is verified.</summary>
    public bool PurgeOnDeploy { get; init; } = true;
}

/// <summary>One rule of the cache.</summary>
public sealed record EdgeCacheRule
{
    /// <summary>Its name: lower case, digits and dashes.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public required string Name { get; init; }

    /// <summary>The host, e.g. <c>example.com</c>.</summary>
    [Pattern("^[a-z0-9.-]+$", "a host name, such as example.com")]
    public required string Host { get; init; }

    /// <summary>The paths, e.g. <c>/</c>; one that ends with <c>*</c> is a prefix, such as <c>/assets/*</c>.</summary>
    public required ImmutableArray<string> Paths { get; init; }

    /// <summary>How long Cloudflare keeps an answer; what the app itself says counts where it is not set.</summary>
    public Duration? Edge { get; init; }

    /// <summary>How long browsers keep it (<c>max-age</c>); what the app itself says counts where it is not set.</summary>
    public Duration? Browser { get; init; }
}

/// <summary>One host for several regions, each a cluster of its own, for the control <c>LoadBalancer</c>.</summary>
public sealed record LoadBalancerSettings
{
    /// <summary>The host, e.g. <c>api.example.com</c>.</summary>
    [Pattern("^[a-z0-9.-]+$", "a host name, such as api.example.com")]
    public required string Host { get; init; }

    /// <summary>
    /// The environments of deploy.yaml that answer it, in the order in which they are deployed and preferred. The addresses are those
    /// of their nodes.
    /// </summary>
    public required ImmutableArray<string> Regions { get; init; }

    /// <summary>The path that tells whether a node is healthy: it answers 2xx.</summary>
    [Pattern("^/[^ ]*$", "a path that begins with a slash")]
    public string HealthPath { get; init; } = "/";

    /// <summary>How requests are spread over healthy regions.</summary>
    public RegionSteering Steering { get; init; }
}

/// <summary>How requests are spread over healthy regions.</summary>
public enum RegionSteering
{
    /// <summary>All to the first that is healthy.</summary>
    InOrder,

    /// <summary>To one by chance.</summary>
    Random,

    /// <summary>To the one that answers fastest.</summary>
    Fastest,
}
