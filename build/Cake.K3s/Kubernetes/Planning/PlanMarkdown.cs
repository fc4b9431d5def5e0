using System.Text;

namespace Cake.K3s.Kubernetes.Planning;

/// <summary>Shows a plan as Markdown, for a comment on a pull request.</summary>
internal static class PlanMarkdown
{
    /// <summary>The text.</summary>
    public static string Write(DeployPlan plan)
    {
        var text = new StringBuilder();
        text.Append("### Plan\n\n").Append(PlanText.Summary(plan)).Append("\n\n");
        var changes = plan.Objects.Where(planned => planned.Change != PlannedChange.None).ToList();
        if (changes.Count + plan.Prunes.Length + plan.Kept.Length > 0)
        {
            text.Append("| | Object | Manifest |\n|---|---|---|\n");
            changes.ForEach(planned => Row(text, Word(planned), planned.Key.ToString(), planned.Manifest.Place.ToString()));
            foreach (var node in plan.Prunes)
            {
                Row(text, "delete", PlanText.Name(node), "");
            }

            foreach (var node in plan.Kept)
            {
                Row(text, "left in place", PlanText.Name(node), "");
            }
        }

        var images = plan.ImageChanges.Where(change => change.Before is not null && change.After is not null).ToList();
        if (images.Count > 0)
        {
            text.Append("\n| Container | Image now | Image afterwards | |\n|---|---|---|---|\n");
            images.ForEach(change => text.Append($"| `{change.Owner}` {change.Container} | `{change.Before}` | `{change.After}` | {change.Commits} |\n"));
        }

        foreach (var planned in changes.Where(planned => planned.Change != PlannedChange.Create || planned.Refusal is not null))
        {
            var lines = planned.Refusal is { } refusal
                ? [$"refused: {refusal.ApiMessage}"]
                : planned.Fields.SelectMany(field => ValueText.Lines(planned.Key, field)).ToList();
            if (lines.Count > 0)
            {
                // Four backquotes: a value may hold three.
                text.Append($"\n<details><summary>{planned.Key}</summary>\n\n````diff\n").AppendJoin('\n', lines.Select(Unindent)).Append("\n````\n\n</details>\n");
            }
        }

        return text.ToString();
    }

    private static void Row(StringBuilder text, string what, string name, string place) =>
        text.Append($"| {what} | `{name}` | {(place.Length == 0 ? "" : $"`{place}`")} |\n");

    private static string Word(PlannedObject planned) => planned.Refusal is not null ? "**refused**" : planned.Change switch
    {
        PlannedChange.Create => "make",
        PlannedChange.Replace => "replace",
        _ => "change",
    };

    // A diff is coloured by its first character.
    private static string Unindent(string line) =>
        line.StartsWith("  - ", StringComparison.Ordinal) || line.StartsWith("  + ", StringComparison.Ordinal) ? line[2..] : line;
}
