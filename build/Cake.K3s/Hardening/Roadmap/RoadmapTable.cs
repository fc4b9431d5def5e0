using System.Collections.Immutable;
using System.Globalization;
using System.Reflection;

namespace Cake.K3s.Hardening.Roadmap;

/// <summary>One item of the roadmap.</summary>
/// <param name="Name">The control's name, or the operation's target.</param>
/// <param name="Kind">Where it works, or <c>operation</c>.</param>
/// <param name="State">How it stands.</param>
/// <param name="Summary">One line.</param>
/// <param name="ProvedAt">When it was last proved, or done; null for never, as far as is known here.</param>
/// <param name="Details">What was proved for real, and what against a stand-in.</param>
internal sealed record RoadmapItem(string Name, string Kind, string State, string Summary, DateTimeOffset? ProvedAt, ImmutableArray<string> Details);

/// <summary>The roadmap as a table.</summary>
internal static class RoadmapTable
{
    // What an operator looks at first.
    private static readonly ControlState[] Worst =
        [ControlState.Unfinished, ControlState.Drifted, ControlState.Missing, ControlState.Unknown, ControlState.InPlace, ControlState.NotApplicable];

    /// <summary>A control with all that was found.</summary>
    public static RoadmapItem Of(IControl control, IReadOnlyCollection<Finding> findings, DateTimeOffset? provedAt)
    {
        var worst = findings.MinBy(finding => Array.IndexOf(Worst, finding.State));
        var same = findings.Count(finding => finding.State == worst?.State);
        var proof = control.GetType().GetCustomAttribute<ProvedByAttribute>(inherit: true);
        return new(
            control.Name,
            control.Scope.ToString().ToLowerInvariant(),
            (worst?.State ?? ControlState.NotApplicable).Text(),
            worst is null ? "the environment has nothing that it is about" : worst.Target.Length == 0 ? worst.Summary : $"{worst.Target}: {worst.Summary}{(same > 1 ? $" (and {same - 1} more)" : "")}",
            provedAt,
            proof is null ? ["its tests say nothing about what is real"] : [$"proved for real: {proof.Real ?? "-"}", $"against a stand-in: {proof.StandIn ?? "-"}"]);
    }

    /// <summary>The lines.</summary>
    /// <param name="items">The items.</param>
    /// <param name="verbose">With their details.</param>
    public static IEnumerable<string> Lines(IReadOnlyCollection<RoadmapItem> items, bool verbose)
    {
        string[] head = ["ITEM", "WHERE", "STATE", "LAST PROVED"];
        var rows = items.Select(item => (Cells: new[] { item.Name, item.Kind, item.State, item.ProvedAt?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "-" }, Item: item)).ToList();
        var widths = Enumerable.Range(0, head.Length).Select(column => rows.Select(row => row.Cells[column].Length).Append(head[column].Length).Max() + 2).ToList();
        yield return Line(head, "WHAT IS");
        foreach (var (cells, item) in rows)
        {
            yield return Line(cells, item.Summary);
            foreach (var detail in verbose ? item.Details : [])
            {
                yield return "    " + detail;
            }
        }

        string Line(string[] cells, string last) => string.Concat(widths.Select((width, column) => cells[column].PadRight(width)).Append(last)).TrimEnd();
    }
}
