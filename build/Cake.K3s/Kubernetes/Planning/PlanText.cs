using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>Shows a plan as lines for a terminal.</summary>
internal static class PlanText
{
    /// <summary>The lines.</summary>
    public static IEnumerable<string> Lines(DeployPlan plan) =>
    [
        Summary(plan),
        .. plan.Objects.Where(planned => planned.Change != PlannedChange.None).SelectMany(Lines),
        .. plan.Prunes.Select(node => $"- {Name(node)}  is no longer in the manifests: deleted once the release is verified"),
        .. plan.Kept.Select(node => $"! {Name(node)}  is no longer in the manifests, and stays: deleting it would delete data"),
        .. Images(plan),
    ];

    /// <summary>How much changes, in one line.</summary>
    public static string Summary(DeployPlan plan)
    {
        var counts = plan.Objects.CountBy(planned => planned.Change).ToDictionary();
        (string What, int Count)[] parts =
        [
            ("to make", counts.GetValueOrDefault(PlannedChange.Create)),
            ("to change", counts.GetValueOrDefault(PlannedChange.Update)),
            ("to replace", counts.GetValueOrDefault(PlannedChange.Replace)),
            ("to delete", plan.Prunes.Length),
            ("unchanged", counts.GetValueOrDefault(PlannedChange.None)),
        ];
        return $"{plan.Set.App} in namespace {plan.Set.Parent.Namespace}: {string.Join(", ", parts.Where(part => part.Count > 0).Select(part => $"{part.Count} {part.What}"))}";
    }

    /// <summary>An object of the cluster by name.</summary>
    public static string Name(JsonObject node) => ObjectKey.Of(node).ToString();

    private static IEnumerable<string> Lines(PlannedObject planned)
    {
        var mark = planned.Change switch
        {
            PlannedChange.Create => '+',
            PlannedChange.Replace => '±',
            _ => '~',
        };
        yield return $"{mark} {planned.Key}  {planned.Manifest.Place}";
        if (planned.Refusal is { } refusal)
        {
            yield return $"    refused: {refusal.ApiMessage}";
            yield break;
        }

        if (planned.Change == PlannedChange.Create)
        {
            yield break;
        }

        var fields = planned.Fields.ToList();
        foreach (var line in fields.SelectMany(field => ValueText.Lines(planned.Key, field)))
        {
            yield return $"    {line}";
        }

        if (fields.Count == 0)
        {
            yield return "    no value changes; fields come under the library's care";
        }
    }

    private static IEnumerable<string> Images(DeployPlan plan)
    {
        var changes = plan.ImageChanges.Where(change => change.Before is not null && change.After is not null).ToList();
        return changes.Count == 0 ? [] : changes.Select(change => $"  {change.Owner} {change.Container}: {change.Before} → {change.After}{(change.Commits is { } commits ? $" ({commits})" : "")}").Prepend("Images:");
    }
}
