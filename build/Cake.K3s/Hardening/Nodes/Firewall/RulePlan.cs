using System.Collections.Immutable;
using Cake.K3s.Nodes;

namespace Cake.K3s.Hardening.Nodes.Firewall;

/// <summary>Rules to add, then rules to delete, each by its full text: numbers shift.</summary>
/// <param name="Additions">Added in this order, before anything is deleted.</param>
/// <param name="Deletions">Deleted in this order, the widest last.</param>
internal sealed record RulePlan(ImmutableArray<UfwRule> Additions, ImmutableArray<UfwRule> Deletions)
{
    /// <summary>Whether nothing is to be done.</summary>
    public bool IsEmpty => Additions.IsEmpty && Deletions.IsEmpty;

    /// <summary>What to say to UFW, in order: each line the arguments of one call.</summary>
    public ImmutableArray<string> Commands =>
    [
        .. Additions.Select(Addition).Distinct(),
        .. Deletions.Select(Deletion).Distinct(),
    ];

    /// <summary>What to say to UFW to take the plan back, whatever was done to other rules since.</summary>
    public ImmutableArray<string> InverseCommands => [.. Deletions.Select(Addition).Distinct(), .. Additions.Select(Deletion).Distinct()];

    /// <summary>Plans the way from what is to what is wanted.</summary>
    /// <param name="rules">The rules that are there.</param>
    /// <param name="wanted">The rules that must be there.</param>
    /// <param name="unwanted">Which of the others must not; rules that this does not know stay.</param>
    public static RulePlan Of(IReadOnlyCollection<UfwRule> rules, IReadOnlyCollection<UfwRule> wanted, Func<UfwRule, bool> unwanted)
    {
        // By text and family: a rule can be there for one family alone.
        var has = rules.Select(Key).ToHashSet();
        var wants = wanted.Select(Key).ToHashSet();
        var keptTexts = wanted.Select(rule => rule.Text).ToHashSet();
        return new RulePlan(
            [.. wanted.Where(rule => !has.Contains(Key(rule))).DistinctBy(Key)],
            [
                .. rules.Where(rule => !wants.Contains(Key(rule)) && !keptTexts.Contains(rule.Text) && unwanted(rule))
                    .OrderByDescending(rule => rule.Source.Network.PrefixLength),
            ]);
    }

    /// <summary>The rules as they are after the plan, and on the way there after each step of it.</summary>
    public IEnumerable<ImmutableArray<UfwRule>> Steps(ImmutableArray<UfwRule> rules)
    {
        foreach (var addition in Additions)
        {
            rules = rules.Add(addition);
            yield return rules;
        }

        foreach (var deletion in Deletions)
        {
            rules = rules.RemoveAll(rule => rule.Text == deletion.Text);
            yield return rules;
        }
    }

    /// <summary>Those of the given connections that are let in before, and are not at some step of the plan.</summary>
    public ImmutableArray<Access> Losses(UfwState state, IEnumerable<Access> accesses)
    {
        var steps = Steps(state.Rules).Select(rules => state with { Rules = rules }).ToList();
        return [.. accesses.Where(access => state.LetsIn(access) && !steps.TrueForAll(step => step.LetsIn(access)))];
    }

    private static string Addition(UfwRule rule) => rule.Comment is { } comment ? $"{rule.Text} comment {ShellText.Quote(comment)}" : rule.Text;

    private static string Deletion(UfwRule rule) => $"delete {rule.Text}";

    private static (string, bool) Key(UfwRule rule) => (rule.Text, rule.Source.IsV6);
}
