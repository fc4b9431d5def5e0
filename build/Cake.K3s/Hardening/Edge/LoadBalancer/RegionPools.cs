using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Edge.LoadBalancer;

/// <summary>What should be at Cloudflare for the regions of deploy.yaml. Their ids are not known before they are made.</summary>
/// <param name="Monitor">How health is measured.</param>
/// <param name="Pools">A pool for each region, in order.</param>
/// <param name="Balancer">The host.</param>
internal sealed record RegionPools(PoolMonitor Monitor, ImmutableArray<Pool> Pools, K3s.Edge.Cloudflare.LoadBalancer Balancer)
{
    private const int Interval = 60;
    private const int Timeout = 5;
    private const int Retries = 2;

    /// <summary>By whom a load balancer of this host was made.</summary>
    public string Mark => Balancer.Description!;

    /// <summary>What the marks of an app begin with; the host follows.</summary>
    public static string MarkPrefix(string app) => $"Made by Cake.K3s from deploy.yaml of {app} for ";

    /// <summary>Makes them.</summary>
    /// <param name="settings">deploy.yaml.</param>
    /// <param name="balancer">Its load balancer.</param>
    /// <exception cref="K3sException">A region is no environment, or has no node with an address (exit code 2).</exception>
    public static RegionPools Of(DeploySettings settings, LoadBalancerSettings balancer)
    {
        var mark = MarkPrefix(settings.App) + balancer.Host;
        return new(
            new(
                null,
                mark,
                "https",
                "GET",
                balancer.HealthPath,
                "2xx",
                Interval,
                Timeout,
                Retries,
                AllowInsecure: true,
                ImmutableSortedDictionary<string, ImmutableArray<string>>.Empty.Add("Host", [balancer.Host])),
            [.. balancer.Regions.Select(region => PoolOf(settings, balancer, region, mark))],
            new(null, balancer.Host, mark, true, true, Steering(balancer.Steering), "", []));
    }

    /// <summary>Whether two descriptions are the same.</summary>
    public static bool Same<T>(T one, T other) => JsonSerializer.Serialize(one) == JsonSerializer.Serialize(other);

    private static Pool PoolOf(DeploySettings settings, LoadBalancerSettings balancer, string region, string mark)
    {
        if (!settings.Environments.TryGetValue(region, out var environment))
        {
            throw new K3sException(
                ExitCodes.BadInput, $"LoadBalancer: region '{region}' is no environment of deploy.yaml", $"There are: {string.Join(", ", settings.Environments.Keys.Order(StringComparer.Ordinal))}.");
        }

        var origins = environment.Nodes.Select(node => (node.Name, Address: PublicAddress(node))).Where(node => node.Address is not null)
            .Select(node => new PoolOrigin(node.Name, node.Address!, true, 1)).ToImmutableArray();
        return origins.IsEmpty
            ? throw new K3sException(
                ExitCodes.BadInput, $"LoadBalancer: environment {region} has no node with a public address", "List them under 'nodes' of that environment, with 'addresses' where 'host' is a name.")
            : new(null, $"{settings.App}-{balancer.Host.Replace('.', '-')}-{region}", mark, true, 1, null, origins);
    }

    private static string? PublicAddress(NodeSettings node) => node.Addresses.Append(node.Host).FirstOrDefault(address => IPAddress.TryParse(address, out var ip) && !IsPrivate(ip));

    private static bool IsPrivate(IPAddress address) => new[] { "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7" }.Select(IPNetwork.Parse).Any(range => range.Contains(address));

    private static string Steering(RegionSteering steering) => steering switch
    {
        RegionSteering.Random => "random",
        RegionSteering.Fastest => "dynamic_latency",
        _ => "off",
    };
}
