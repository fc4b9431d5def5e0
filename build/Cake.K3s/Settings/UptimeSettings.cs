using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>Who looks whether the app answers, from inside and from outside, and who is told when it does not.</summary>
public sealed record UptimeSettings
{
    /// <summary>What is looked at.</summary>
    public required ImmutableArray<UptimeCheck> Checks { get; init; }

    /// <summary>A Gatus in the cluster; null for none.</summary>
    public GatusSettings? Gatus { get; init; }

    /// <summary>Better Stack, which looks from outside and notices when the cluster's own monitor is silent; null for nobody.</summary>
    public BetterStackSettings? BetterStack { get; init; }
}

/// <summary>One check.</summary>
public sealed record UptimeCheck
{
    /// <summary>Its name.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public required string Name { get; init; }

    /// <summary>The address, as visitors use it.</summary>
    [Pattern("^https?://[^ ]+$", "an address that begins with https://")]
    public required string Url { get; init; }

    /// <summary>The status that it answers.</summary>
    [Between(100, 599)]
    public int Status { get; init; } = 200;

    /// <summary>Text that the answer contains; null for any.</summary>
    public string? Contains { get; init; }

    /// <summary>How often it is looked at: 30s, 1m, 2m, 3m, 5m, 10m, 15m or 30m.</summary>
    public Duration Interval { get; init; } = Duration.FromMinutes(1);

    /// <summary>How long an answer may take.</summary>
    public Duration Limit { get; init; } = new(TimeSpan.FromSeconds(10));

    /// <summary>Its certificate must be valid for more days than this: 1, 2, 3, 7, 14, 30 or 60.</summary>
    [Between(1, 60)]
    public int CertificateDays { get; init; } = 14;
}

/// <summary>A Gatus in the app's namespace (https://github.com/TwiN/gatus).</summary>
public sealed record GatusSettings
{
    /// <summary>The image with its digest, e.g. <c>ghcr.io/twin/gatus:v5.24.0@sha256:…</c>.</summary>
    [Pattern("^[^ @]+@sha256:[0-9a-f]{64}$", "an image with its digest, such as ghcr.io/twin/gatus@sha256:…")]
    public required string Image { get; init; }

    /// <summary>The address of an incoming webhook of Slack that is told; null for none.</summary>
    public SecretSource? Slack { get; init; }

    /// <summary>The mail that is sent; null for none.</summary>
    public EmailSettings? Email { get; init; }

    /// <summary>How many failures in a row are told.</summary>
    [Between(1, 100)]
    public int Failures { get; init; } = 3;
}

/// <summary>Better Stack's Uptime (https://betterstack.com/docs/uptime/api/).</summary>
public sealed record BetterStackSettings
{
    /// <summary>Where the Uptime API token of the team comes from.</summary>
    public required SecretSource Token { get; init; }

    /// <summary>The API's address; another one only for a stand-in.</summary>
    [Pattern("^https?://[^ ]+$", "an address that begins with https://")]
    public string Api { get; init; } = "https://uptime.betterstack.com";

    /// <summary>
    /// The id of the escalation policy that says who is told: the team's Slack and mail, for instance; null for whoever is on call, by mail.
    /// </summary>
    public string? Policy { get; init; }

    /// <summary>How long the cluster's own monitor may be silent before that is told.</summary>
    public Duration Grace { get; init; } = Duration.FromMinutes(5);
}
