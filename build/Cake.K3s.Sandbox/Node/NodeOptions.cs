using System.Net;

namespace Cake.K3s.Sandbox.Node;

/// <summary>How the one node of the sandbox runs pods.</summary>
internal sealed record NodeOptions
{
    /// <summary>Where the Docker engine answers, e.g. <c>unix:///…/docker.sock</c>.</summary>
    public required Uri DockerEndpoint { get; init; }

    /// <summary>The folder for pod volumes and termination messages; the engine must see it under the same path.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>Tells this sandbox's containers from those of others on the same engine.</summary>
    public required string ClusterId { get; init; }

    /// <summary>The name of the Node object.</summary>
    public string NodeName { get; init; } = "sandbox";

    /// <summary>The bridge network that pods are on; it is made, with <see cref="PodSubnet"/>, when the engine has none of that name.</summary>
    public string DockerNetwork { get; init; } = "bridge";

    /// <summary>The subnet of a <see cref="DockerNetwork"/> that has to be made; null leaves the choice to the engine.</summary>
    public string? PodSubnet { get; init; }

    /// <summary>The addresses of Services, as the API server gives them out.</summary>
    public IPNetwork ServiceSubnet { get; init; } = IPNetwork.Parse("10.43.0.0/16");

    /// <summary>The address of the cluster DNS, inside <see cref="ServiceSubnet"/>.</summary>
    public IPAddress DnsAddress { get; init; } = IPAddress.Parse("10.43.0.10");

    /// <summary>The address of the Service <c>kubernetes</c>: the first of <see cref="ServiceSubnet"/>.</summary>
    public IPAddress ApiAddress
    {
        get
        {
            var bytes = ServiceSubnet.BaseAddress.GetAddressBytes();
            bytes[^1]++;
            return new(bytes);
        }
    }

    /// <summary>The domain under which Services have their names.</summary>
    public string ClusterDomain { get; init; } = "cluster.local";

    /// <summary>Where the API server listens, for the Service <c>kubernetes</c>; null leaves that Service without an address.</summary>
    public IPEndPoint? ApiEndpoint { get; init; }

    /// <summary>The loopback port on which Ingress hosts answer; 0 serves no Ingress.</summary>
    public int IngressPort { get; init; }

    /// <summary>What filters the packets of pods; null for an engine whose pods are not within this machine's reach, where NetworkPolicies are not enforced.</summary>
    public NodeFirewall? Firewall { get; init; }

    /// <summary>The version the node says it runs.</summary>
    public string KubeletVersion { get; init; } = "v1.34.1+k3s1";
}

/// <summary>The program that sets packet filters.</summary>
/// <param name="Restore">Absolute path of iptables-restore.</param>
/// <param name="Variables">Variables to run it with.</param>
internal sealed record NodeFirewall(string Restore, System.Collections.Immutable.ImmutableDictionary<string, string?> Variables);
