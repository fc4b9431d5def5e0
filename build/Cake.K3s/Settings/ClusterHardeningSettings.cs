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

/// <summary>The private network that the control <c>PrivateNetwork</c> attaches the nodes to.</summary>
public sealed record PrivateNetworkSettings
{
    /// <summary>Its name at Hetzner; made where there is none of it.</summary>
    public required string Name { get; init; }

    /// <summary>The range of its subnet, beside those of pods and services.</summary>
    [Pattern(@"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", "a range such as 10.0.0.0/24")]
    public required string Range { get; init; }

    /// <summary>The network zone that the servers are in, e.g. <c>eu-central</c>.</summary>
    [Pattern("^[a-z]+(-[a-z]+)+$", "a network zone such as eu-central")]
    public string Zone { get; init; } = "eu-central";

    /// <summary>A token of the servers' project that may read and write.</summary>
    public required SecretSource Token { get; init; }
}

/// <summary>What the control <c>Reboots</c> applies.</summary>
public sealed record RebootSettings
{
    /// <summary>The address of Prometheus as pods reach it: no node is rebooted while an alert fires. Null asks nobody.</summary>
    [Pattern("^https?://[^ ]+$", "an address such as http://prometheus.monitoring:9090")]
    public string? Prometheus { get; init; }

    /// <summary>The version of K3s that all nodes are brought to; null leaves K3s as it is.</summary>
    [Pattern(@"^v[0-9]+\.[0-9]+\.[0-9]+\+k3s[0-9]+$", "a version such as v1.34.6+k3s1")]
    public string? K3sVersion { get; init; }

    /// <summary>The folders of the manifests: who does it, on which days and at which hours.</summary>
    public ImmutableArray<string> Manifests { get; init; } = ["manifests/hardening/reboots"];
}
