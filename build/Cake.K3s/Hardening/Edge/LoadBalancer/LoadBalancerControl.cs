using System.Collections.Immutable;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Edge.LoadBalancer;

/// <summary>
/// One host answers from several regions. What it is made of is known by name and description, and made from the bottom up - monitor,
/// pools, host - so that an apply which was cut off leaves nothing that visitors see.
/// </summary>
[ProvedBy(null, "Cloudflare's API: checks every request against the published one")]
internal sealed class LoadBalancerControl(ControlCluster cluster, CloudflareConnector cloudflare, EdgeVisitor visitor) : IControl
{
    /// <inheritdoc/>
    public string Name => "LoadBalancer";

    /// <inheritdoc/>
    public string Protects => "With one region down, visitors are answered by another.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Edge;

    private LoadBalancerSettings? Settings => cluster.EnvironmentSettings.Edge?.LoadBalancer;

    private Finding NotConfigured => Finding.NotConfigured(Name, "edge.loadBalancer");

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var live = await LiveAsync(settings, cancellationToken);
        var steps = StepsOf(live);
        return steps.Count == 0
            ? [new(Name, settings.Host, ControlState.InPlace, $"it answers from {settings.Regions.Length} regions", [.. live.Wanted.Pools.Select(pool => $"{pool.Name}: {string.Join(", ", pool.Origins.Select(origin => origin.Address))}")])]
            : [.. steps.Select(step => new Finding(Name, step.Change.Target, live.Balancer is null ? live.Monitor is null ? ControlState.Missing : ControlState.Unfinished : ControlState.Drifted, $"to do: {step.Change.Description}", []))];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) =>
        Settings is { } settings ? [.. StepsOf(await LiveAsync(settings, cancellationToken)).Select(step => step.Change)] : [];

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [];
        }

        // One at a time: each needs the id of the one before it.
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        while (StepsOf(await LiveAsync(settings, cancellationToken)).FirstOrDefault() is { } step)
        {
            await step.RunAsync(cancellationToken);
            changes.Add(step.Change);
        }

        return changes.ToImmutable();
    }

    /// <summary>Asks the host for its health as a visitor does.</summary>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        using var response = await visitor.AskAsync(settings.Host, settings.HealthPath, cancellationToken);
        return
        [
            response.IsSuccessStatusCode
                ? new(Name, settings.Host, ControlState.InPlace, $"{settings.HealthPath} answers {(int)response.StatusCode} through Cloudflare", [])
                : new(Name, settings.Host, ControlState.Missing, $"{settings.HealthPath} answers {(int)response.StatusCode} through Cloudflare", []),
        ];
    }

    /// <summary>Deletes what was made, the host first.</summary>
    public async Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            await RequireNothingLeftAsync(cancellationToken);
            return [];
        }

        var live = await LiveAsync(settings, cancellationToken);
        var changes = ImmutableArray.CreateBuilder<PlannedChange>();
        if (live.Balancer is { } balancer)
        {
            await live.Zone.DeleteLoadBalancerAsync(balancer.Id!, cancellationToken);
            changes.Add(new(settings.Host, "load balancer deleted: its DNS record answers again"));
        }

        foreach (var pool in live.Pools)
        {
            await live.Zone.DeletePoolAsync(pool.Id!, cancellationToken);
            changes.Add(new(pool.Name, "pool deleted"));
        }

        if (live.Monitor is { } monitor)
        {
            await live.Zone.DeleteMonitorAsync(monitor.Id!, cancellationToken);
            changes.Add(new(settings.Host, "monitor deleted"));
        }

        return changes.ToImmutable();
    }

    // What was made is known by the host that deploy.yaml names: without it, it is not deleted, but nobody is told that there is nothing.
    private async Task RequireNothingLeftAsync(CancellationToken cancellationToken)
    {
        var prefix = RegionPools.MarkPrefix(cluster.Settings.App);
        var zone = await cloudflare.OpenAsync(cancellationToken);
        var left = (await zone.LoadBalancersAsync(cancellationToken)).Select(balancer => balancer.Description)
            .Concat((await zone.PoolsAsync(cancellationToken)).Select(pool => pool.Description))
            .Concat((await zone.MonitorsAsync(cancellationToken)).Select(monitor => monitor.Description))
            .OfType<string>().Where(mark => mark.StartsWith(prefix, StringComparison.Ordinal))
            .Select(mark => mark[prefix.Length..]).Distinct().Order(StringComparer.Ordinal).ToList();
        var others = cluster.Settings.Environments.Values.Select(environment => environment.Edge?.LoadBalancer?.Host).ToHashSet();
        if (left.Where(host => !others.Contains(host)).ToList() is { Count: > 0 } hosts)
        {
            throw new K3sException(
                ExitCodes.BadInput,
                $"LoadBalancer: there is a load balancer, or a part of one, for {string.Join(", ", hosts)}, and no environment of deploy.yaml has it any more",
                $"Put edge.loadBalancer with host {hosts[0]} and its regions back into {cluster.EnvironmentSettings.Name}, run Undo-LoadBalancer, then take it out again.");
        }
    }

    private async Task<Live> LiveAsync(LoadBalancerSettings settings, CancellationToken cancellationToken)
    {
        var wanted = RegionPools.Of(cluster.Settings, settings);
        var zone = await cloudflare.OpenAsync(cancellationToken);
        var balancer = (await zone.LoadBalancersAsync(cancellationToken)).FirstOrDefault(known => known.Name == settings.Host);
        if (balancer is not null && balancer.Description != wanted.Mark)
        {
            throw new K3sException(
                ExitCodes.Failed, $"LoadBalancer: {settings.Host} has a load balancer that was made by somebody else", $"Delete it, or describe it as \"{wanted.Mark}\" to hand it over.");
        }

        return new(
            wanted,
            zone,
            (await zone.MonitorsAsync(cancellationToken)).FirstOrDefault(known => known.Description == wanted.Mark),
            [.. (await zone.PoolsAsync(cancellationToken)).Where(known => known.Description == wanted.Mark)],
            balancer);
    }

    private static List<ChangeStep> StepsOf(Live live)
    {
        var (wanted, zone) = (live.Wanted, live.Zone);
        var steps = new List<ChangeStep>();
        if (live.Monitor is null || !RegionPools.Same(live.Monitor with { Id = null }, wanted.Monitor))
        {
            steps.Add(new(new(wanted.Balancer.Name, $"measure health by {wanted.Monitor.Path}"), cancellation => zone.PutMonitorAsync(live.Monitor?.Id, wanted.Monitor, cancellation)));
        }

        var ids = new List<string>();
        foreach (var pool in wanted.Pools)
        {
            var known = live.Pools.FirstOrDefault(candidate => candidate.Name == pool.Name);
            ids.Add(known?.Id ?? "");
            if (known is null || !RegionPools.Same(known with { Id = null }, pool with { Monitor = live.Monitor?.Id }))
            {
                steps.Add(new(
                    new(pool.Name, $"origins {string.Join(", ", pool.Origins.Select(origin => origin.Address))}"),
                    cancellation => zone.PutPoolAsync(known?.Id, pool with { Monitor = live.Monitor?.Id }, cancellation)));
            }
        }

        var balancer = wanted.Balancer with { DefaultPools = [.. ids], FallbackPool = ids[^1] };
        if (live.Balancer is null || !RegionPools.Same(live.Balancer with { Id = null }, balancer))
        {
            steps.Add(new(
                new(balancer.Name, $"answer from {string.Join(", ", wanted.Pools.Select(pool => pool.Name))}"),
                cancellation => zone.PutLoadBalancerAsync(live.Balancer?.Id, balancer, cancellation)));
        }

        steps.AddRange(live.Pools.Where(known => !wanted.Pools.Any(pool => pool.Name == known.Name))
            .Select(known => new ChangeStep(new(known.Name, "delete the pool of a region that is no longer one"), cancellation => zone.DeletePoolAsync(known.Id!, cancellation))));
        return steps;
    }

    private sealed record Live(RegionPools Wanted, CloudflareZone Zone, PoolMonitor? Monitor, ImmutableArray<Pool> Pools, K3s.Edge.Cloudflare.LoadBalancer? Balancer);
}
