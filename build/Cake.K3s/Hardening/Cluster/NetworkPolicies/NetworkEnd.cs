using System.Collections.Immutable;
using System.Net;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>One end of a connection.</summary>
/// <param name="Name">How it is called in tables.</param>
/// <param name="Addresses">The addresses that the other end may see it under.</param>
internal abstract record NetworkEnd(string Name, ImmutableArray<IPAddress> Addresses);

/// <summary>An address that is no pod's: a node, a provider's server, anybody on the internet.</summary>
/// <param name="Name">How it is called in tables.</param>
/// <param name="Addresses">Its addresses.</param>
internal sealed record AddressEnd(string Name, ImmutableArray<IPAddress> Addresses) : NetworkEnd(Name, Addresses);

/// <summary>A pod.</summary>
/// <param name="Name">How it is called in tables.</param>
/// <param name="Namespace">Its namespace.</param>
/// <param name="Labels">Its labels.</param>
/// <param name="Addresses">Its own addresses; those of its node, on either network, where <paramref name="HostNetwork"/> is set.</param>
/// <param name="Ports">The ports that its containers name.</param>
/// <param name="Node">The node that it is on; null for one that is not on any yet.</param>
/// <param name="HostNetwork">Whether it uses its node's network: then no policy selects it, and no selector names it as a peer.</param>
internal sealed record PodEnd(
    string Name,
    string Namespace,
    ImmutableDictionary<string, string> Labels,
    ImmutableArray<IPAddress> Addresses,
    ImmutableArray<NamedPort> Ports,
    string? Node = null,
    bool HostNetwork = false) : NetworkEnd(Name, Addresses);

/// <summary>A port of a container.</summary>
/// <param name="Name">Its name; null for one without.</param>
/// <param name="Number">Its number.</param>
/// <param name="Protocol"><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</param>
internal sealed record NamedPort(string? Name, int Number, string Protocol = "TCP");

/// <summary>A connection that somebody may try.</summary>
/// <param name="From">Who opens it.</param>
/// <param name="To">To whom.</param>
/// <param name="Port">To which port.</param>
/// <param name="Protocol"><c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</param>
internal sealed record Flow(NetworkEnd From, NetworkEnd To, int Port, string Protocol = "TCP");

/// <summary>What becomes of a connection.</summary>
/// <param name="IsAllowed">Whether it comes about.</param>
/// <param name="Reason">By which policy, or for want of which.</param>
internal readonly record struct FlowVerdict(bool IsAllowed, string Reason);
