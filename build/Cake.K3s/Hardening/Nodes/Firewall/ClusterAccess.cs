using System.Collections.Immutable;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>Who may connect to a node of a K3s cluster, and what for.</summary>
/// <param name="Nodes">The other nodes' addresses.</param>
/// <param name="Pods">The range of pods.</param>
/// <param name="Services">The range of services.</param>
/// <param name="Operators">Where operators come from.</param>
/// <param name="SshPorts">The ports of SSH.</param>
internal sealed record ClusterAccess(
    ImmutableArray<AddressRange> Nodes,
    AddressRange Pods,
    AddressRange Services,
    ImmutableArray<AddressRange> Operators,
    ImmutableArray<int> SshPorts)
{
    /// <summary>The Kubernetes API and K3s' own supervisor.</summary>
    public const int Api = 6443;

    /// <summary>The kubelet.</summary>
    public const int Kubelet = 10250;

    /// <summary>Flannel over VXLAN.</summary>
    public const int Vxlan = 8472;

    /// <summary>Flannel over WireGuard: IPv4, IPv6.</summary>
    public static ImmutableArray<int> WireGuard { get; } = [51820, 51821];

    /// <summary>Whether the pods' network goes over WireGuard.</summary>
    public bool Encrypted { get; init; }

    /// <summary>The range of the nodes' private network; empty where there is none.</summary>
    public ImmutableArray<AddressRange> PrivateRange { get; init; } = [];

    /// <summary>Where other nodes speak from.</summary>
    public IEnumerable<AddressRange> Peers => [.. Nodes, .. PrivateRange];

    /// <summary>Everybody who belongs to the cluster or runs it.</summary>
    public IEnumerable<AddressRange> Trusted => [.. Peers, Pods, Services, .. Operators];

    /// <summary>The connections without which the cluster or its operator cannot work.</summary>
    public IEnumerable<Access> Needed()
    {
        foreach (var node in Nodes)
        {
            yield return new(node, "tcp", Api, "API between nodes");
            yield return new(node, "tcp", 2379, "etcd clients");
            yield return new(node, "tcp", 2380, "etcd peers");
            yield return new(node, "tcp", Kubelet, "kubelet");
            yield return new(node, "udp", Encrypted ? WireGuard[node.IsV6 ? 1 : 0] : Vxlan, "pod network");
        }

        foreach (var range in new[] { Pods, Services })
        {
            yield return new(range, "tcp", Api, "API from pods");
            yield return new(range, "tcp", Kubelet, "kubelet from pods");
        }

        foreach (var (range, port) in Operators.SelectMany(range => SshPorts.Append(Api).Select(port => (range, port))))
        {
            yield return new(range, "tcp", port, port == Api ? "API for operators" : "SSH for operators");
        }
    }
}
