using System.Collections.Immutable;

namespace Cake.K3s.Settings;

/// <summary>What the control <c>NetworkPolicies</c> applies and probes.</summary>
public sealed record NetworkPolicySettings
{
    /// <summary>
    /// The folders of the policies. In them <c>cidr: nodes</c> stands for the addresses of all nodes, and <c>cidr: outside/NAME</c> and
    /// <c>port: outside/NAME</c> for one of <see cref="Outside"/>.
    /// </summary>
    public ImmutableArray<string> Manifests { get; init; } = ["manifests/hardening/network-policies"];

    /// <summary>What pods reach outside of the cluster, by name.</summary>
    [Pattern(PatternAttribute.DnsLabel, PatternAttribute.DnsLabelMeaning)]
    public ImmutableDictionary<string, OutsideSettings> Outside { get; init; } = ImmutableDictionary<string, OutsideSettings>.Empty;

    /// <summary>The image of the pods that probe connections: any with <c>sh</c> and BusyBox' <c>nc</c>.</summary>
    public string ProbeImage { get; init; } = "docker.io/library/busybox:1.37.0";
}

/// <summary>A server outside of the cluster.</summary>
[ExactlyOneOf(nameof(Address), nameof(Secret))]
public sealed record OutsideSettings
{
    /// <summary>Its host and port, e.g. <c>smtp.example.com:465</c>.</summary>
    [Pattern("^[^:/]+:[0-9]+$", "a host and a port, such as smtp.example.com:465")]
    public string? Address { get; init; }

    /// <summary>The environment's secret that has its URL, e.g. <c>DATABASE_URL</c>.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string? Secret { get; init; }
}

/// <summary>The Redis that the control <c>RedisPassword</c> protects, and who uses it.</summary>
public sealed record RedisPasswordSettings
{
    /// <summary>The Deployment of Redis.</summary>
    public string Deployment { get; init; } = "redis";

    /// <summary>The Deployments that use it. Each gets the user and the password as variables.</summary>
    public required ImmutableArray<string> Clients { get; init; }

    /// <summary>
    /// The Secret that is made: <c>password</c> for the clients, and <c>redis.conf</c>, a configuration file with the password that
    /// Redis includes when it starts.
    /// </summary>
    public string Secret { get; init; } = "redis-auth";

    /// <summary>The variable of the clients that has the user's name, <c>default</c>.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string UserVariable { get; init; } = "REDIS_USER";

    /// <summary>The variable of the clients that has the password.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string PasswordVariable { get; init; } = "REDIS_PASSWORD";
}

/// <summary>The middlewares that the control <c>TraefikMiddleware</c> puts before the app's Ingresses.</summary>
public sealed record TraefikMiddlewareSettings
{
    /// <summary>The folders of the Middlewares. All of them go before every Ingress of the app, in the order of their files.</summary>
    public ImmutableArray<string> Manifests { get; init; } = ["manifests/hardening/traefik"];
}
