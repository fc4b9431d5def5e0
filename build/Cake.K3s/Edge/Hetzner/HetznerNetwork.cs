using System.Collections.Immutable;
using System.Text.Json.Nodes;

namespace Cake.K3s.Edge.Hetzner;

/// <summary>A private network.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="Range">Its addresses.</param>
/// <param name="Subnets">The ranges of its subnets.</param>
/// <param name="Servers">The ids of the servers that are attached.</param>
/// <param name="Maker">Who made it, by its label; null for somebody else.</param>
internal sealed record HetznerNetwork(long Id, string Name, string Range, ImmutableArray<string> Subnets, ImmutableArray<long> Servers, string? Maker)
{
    /// <summary>The label that tells who made it.</summary>
    public const string MadeBy = "made-by";

    /// <summary>Reads the API's object.</summary>
    public static HetznerNetwork Of(JsonNode network) => new(
        (long)network["id"]!,
        (string)network["name"]!,
        (string)network["ip_range"]!,
        [.. network["subnets"]!.AsArray().Select(subnet => (string)subnet!["ip_range"]!)],
        [.. network["servers"]!.AsArray().Select(server => (long)server!)],
        (string?)network["labels"]?[MadeBy]);
}

/// <summary>A server.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Name">Its name.</param>
/// <param name="PublicAddress">Its public IPv4 address; null for none.</param>
/// <param name="Private">Its address in each network, by the network's id.</param>
internal sealed record HetznerServer(long Id, string Name, string? PublicAddress, ImmutableDictionary<long, string> Private)
{
    /// <summary>Reads the API's object.</summary>
    public static HetznerServer Of(JsonNode server) => new(
        (long)server["id"]!,
        (string)server["name"]!,
        (string?)server["public_net"]?["ipv4"]?["ip"],
        server["private_net"]!.AsArray().ToImmutableDictionary(net => (long)net!["network"]!, net => (string)net!["ip"]!));
}
