using System.Collections.Immutable;
using Cake.K3s.Edge.Cloudflare;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hardening.Roadmap;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Edge.EdgeCache;

/// <summary>
/// Cloudflare answers what is the same for everybody from its cache. Rules are known by their ref; those of others stay as they are.
/// Each is written by itself, so whatever an apply is interrupted by, the same apply finishes it.
/// </summary>
[ProvedBy(null, "Cloudflare's API: checks every request against the published one")]
internal sealed class EdgeCacheControl(ControlCluster cluster, CloudflareConnector cloudflare, EdgeVisitor visitor) : IControl
{
    private const int Tries = 5;

    /// <inheritdoc/>
    public string Name => "EdgeCache";

    /// <inheritdoc/>
    public string Protects => "Many visitors at once do not reach the nodes, and those who come while the nodes are down still see the first page.";

    /// <inheritdoc/>
    public ControlScope Scope => ControlScope.Edge;

    private EdgeCacheSettings? Settings => cluster.EnvironmentSettings.Edge?.Cache;

    private Finding NotConfigured => Finding.NotConfigured(Name, "edge.cache");

    private string Prefix => CacheRules.Prefix(cluster.Settings.App, cluster.EnvironmentSettings.Name);

    /// <inheritdoc/>
    public async Task<ImmutableArray<Finding>> AuditAsync(CancellationToken cancellationToken)
    {
        if (Settings is not { } settings)
        {
            return [NotConfigured];
        }

        var zone = await cloudflare.OpenAsync(cancellationToken);
        var live = Own(await zone.CacheRulesAsync(cancellationToken));
        var wanted = Wanted(settings);
        return
        [
            .. wanted.Select(rule => live.FirstOrDefault(known => known.Ref == rule.Ref) switch
            {
                null => new Finding(Name, zone.Name, live.IsEmpty ? ControlState.Missing : ControlState.Unfinished, $"there is no rule {rule.Ref}", []),
                var known when CacheRules.Same(known, rule) => new Finding(Name, zone.Name, ControlState.InPlace, $"rule {rule.Ref} is as it should be", [rule.Expression]),
                var known => new Finding(Name, zone.Name, ControlState.Drifted, $"rule {rule.Ref} is not as it should be", [known.Expression]),
            }),
            .. live.Where(known => !wanted.Any(rule => rule.Ref == known.Ref))
                .Select(known => new Finding(Name, zone.Name, ControlState.Drifted, $"rule {known.Ref} is no longer wanted", [])),
            .. IsInOrder(live, wanted) ? Enumerable.Empty<Finding>() : [new Finding(Name, zone.Name, ControlState.Drifted, "the rules are in another order: a later one decides", [])],
        ];
    }

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> PlanAsync(CancellationToken cancellationToken) =>
        Settings is { } settings ? [.. (await StepsAsync(Wanted(settings), cancellationToken)).Select(step => step.Change)] : [];

    /// <inheritdoc/>
    public async Task<ImmutableArray<PlannedChange>> ApplyAsync(CancellationToken cancellationToken) =>
        Settings is { } settings ? await CarryOutAsync(Wanted(settings), cancellationToken) : [];

    /// <summary>Asks for every path until Cloudflare says that the answer is from its cache.</summary>
    public async Task<ImmutableArray<Finding>> VerifyAsync(CancellationToken cancellationToken) => Settings is { } settings
        ? [.. await Task.WhenAll(settings.Rules.SelectMany(rule => rule.Paths.Select(path => ProveAsync(rule, path, cancellationToken))))]
        : [NotConfigured];

    /// <summary>Deletes this environment's rules; those of others stay.</summary>
    public Task<ImmutableArray<PlannedChange>> UndoAsync(CancellationToken cancellationToken) => CarryOutAsync([], cancellationToken);

    private async Task<ImmutableArray<PlannedChange>> CarryOutAsync(ImmutableArray<Rule> wanted, CancellationToken cancellationToken) =>
        await ChangeStep.CarryOutAsync(await StepsAsync(wanted, cancellationToken), cancellationToken);

    private ImmutableArray<Rule> Wanted(EdgeCacheSettings settings) => CacheRules.Of(cluster.Settings.App, cluster.EnvironmentSettings.Name, settings);

    private ImmutableArray<Rule> Own(Ruleset? rules) =>
        [.. (rules?.Rules ?? []).Where(rule => rule.Ref?.StartsWith(Prefix, StringComparison.Ordinal) == true)];

    private static bool IsInOrder(ImmutableArray<Rule> live, ImmutableArray<Rule> wanted) =>
        live.Select(rule => rule.Ref).Where(known => wanted.Any(rule => rule.Ref == known))
            .SequenceEqual(wanted.Select(rule => rule.Ref).Where(name => live.Any(rule => rule.Ref == name)));

    private async Task<List<ChangeStep>> StepsAsync(ImmutableArray<Rule> wanted, CancellationToken cancellationToken)
    {
        var zone = await cloudflare.OpenAsync(cancellationToken);
        var rules = await zone.CacheRulesAsync(cancellationToken);
        if (rules is null)
        {
            return wanted.IsEmpty ? [] : [new(new(zone.Name, $"make cache rules {string.Join(", ", wanted.Select(rule => rule.Ref))}"), cancellation => zone.CreateCacheRulesAsync(wanted, cancellation))];
        }

        var live = Own(rules);

        // Rules are added at the end alone: those that are in another order go first, and come again in the right one.
        var stays = IsInOrder(live, wanted) && IsPrefix(live, wanted);
        var steps = live.Where(known => !stays || !wanted.Any(rule => rule.Ref == known.Ref))
            .Select(known => new ChangeStep(new(zone.Name, $"delete cache rule {known.Ref}"), cancellation => zone.DeleteRuleAsync(rules.Id, known.Id!, cancellation)))
            .ToList();
        foreach (var rule in wanted)
        {
            var known = stays ? live.FirstOrDefault(candidate => candidate.Ref == rule.Ref) : null;
            if (known is null)
            {
                steps.Add(new(new(zone.Name, $"add cache rule {rule.Ref}", rule.Expression), cancellation => zone.AddRuleAsync(rules.Id, rule, cancellation)));
            }
            else if (!CacheRules.Same(known, rule))
            {
                steps.Add(new(new(zone.Name, $"change cache rule {rule.Ref}", rule.Expression), cancellation => zone.ChangeRuleAsync(rules.Id, known.Id!, rule, cancellation)));
            }
        }

        return steps;
    }

    // Whether what is missing comes after all that is there.
    private static bool IsPrefix(ImmutableArray<Rule> live, ImmutableArray<Rule> wanted)
    {
        var there = wanted.Select(rule => live.Any(known => known.Ref == rule.Ref)).ToList();
        return !there.SkipWhile(known => known).Contains(true);
    }

    private async Task<Finding> ProveAsync(EdgeCacheRule rule, string path, CancellationToken cancellationToken)
    {
        var (host, asked) = (rule.Host, path.TrimEnd('*'));
        var seen = new List<string>();
        for (var attempt = 0; attempt < Tries; attempt++)
        {
            using var response = await visitor.AskAsync(host, asked, cancellationToken);
            var status = response.Headers.TryGetValues("cf-cache-status", out var values) ? values.First() : "none";
            seen.Add($"{(int)response.StatusCode}, cf-cache-status: {status}");
            if (status is "HIT" or "STALE" or "UPDATING" or "REVALIDATED")
            {
                var age = response.Headers.CacheControl?.MaxAge;
                return rule.Browser is { } browser && age != browser.Value
                    ? new(Name, host + asked, ControlState.Drifted, $"browsers are told max-age {age?.TotalSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "nothing"}, not {browser.Value.TotalSeconds}", [.. seen])
                    : new(Name, host + asked, ControlState.InPlace, "Cloudflare answers it from its cache", [.. seen]);
            }
        }

        return path.EndsWith('*') && seen[^1].StartsWith("404", StringComparison.Ordinal)
            ? new(Name, host + asked, ControlState.NotApplicable, "there is nothing at the prefix itself to ask for", [.. seen])
            : new(Name, host + asked, ControlState.Missing, $"Cloudflare does not answer it from its cache ({seen[^1]})", [.. seen]);
    }
}
