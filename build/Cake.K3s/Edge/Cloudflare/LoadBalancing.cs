using System.Collections.Immutable;

namespace Cake.K3s.Edge.Cloudflare;

/// <summary>How a pool's health is measured.</summary>
/// <param name="Id">Its id; null for one that is not made yet.</param>
/// <param name="Description">Its name: monitors have no other.</param>
/// <param name="Type"><c>https</c> or <c>http</c>.</param>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">The path.</param>
/// <param name="ExpectedCodes">E.g. <c>200</c> or <c>2xx</c>.</param>
/// <param name="Interval">Seconds between two checks.</param>
/// <param name="Timeout">Seconds that one may take.</param>
/// <param name="Retries">How often one that failed is repeated at once.</param>
/// <param name="AllowInsecure">Whether the origin's certificate may be of no public authority, as one of the Origin CA is not.</param>
/// <param name="Header">Headers of the request, e.g. Host.</param>
internal sealed record PoolMonitor(
    string? Id, string? Description, string Type, string Method, string Path, string ExpectedCodes, int Interval, int Timeout, int Retries,
    bool AllowInsecure, ImmutableSortedDictionary<string, ImmutableArray<string>>? Header);

/// <summary>The origins of one region.</summary>
/// <param name="Id">Its id; null for one that is not made yet.</param>
/// <param name="Name">Its name in the account.</param>
/// <param name="Description">For people.</param>
/// <param name="Enabled">Whether it takes requests.</param>
/// <param name="MinimumOrigins">Fewer healthy ones make the pool unhealthy.</param>
/// <param name="Monitor">The id of the monitor that measures it.</param>
/// <param name="Origins">The nodes.</param>
internal sealed record Pool(
    string? Id, string Name, string? Description, bool Enabled, int MinimumOrigins, string? Monitor, ImmutableArray<PoolOrigin> Origins);

/// <summary>One origin of a pool.</summary>
/// <param name="Name">Its name in the pool.</param>
/// <param name="Address">Its address.</param>
/// <param name="Enabled">Whether it takes requests.</param>
/// <param name="Weight">Its share, 0 to 1.</param>
internal sealed record PoolOrigin(string Name, string Address, bool Enabled, double Weight);

/// <summary>A host that answers from several pools.</summary>
/// <param name="Id">Its id; null for one that is not made yet.</param>
/// <param name="Name">The host.</param>
/// <param name="Description">For people.</param>
/// <param name="Enabled">Whether it takes the place of the host's DNS record.</param>
/// <param name="Proxied">Whether requests go through Cloudflare.</param>
/// <param name="SteeringPolicy"><c>off</c> (in order), <c>random</c>, <c>dynamic_latency</c>, …</param>
/// <param name="FallbackPool">The pool that takes requests when none is healthy.</param>
/// <param name="DefaultPools">The pools, in order.</param>
internal sealed record LoadBalancer(
    string? Id, string Name, string? Description, bool Enabled, bool Proxied, string SteeringPolicy, string FallbackPool, ImmutableArray<string> DefaultPools);
