using Cake.Shared;

namespace Cake.K3s.Hardening.Reports;

/// <summary>Findings as lines of a table.</summary>
internal static class FindingTable
{
    private const int NarrowestSummary = 24;

    /// <summary>The lines: a head, then one for each finding in the order of the controls.</summary>
    /// <param name="findings">What was found.</param>
    /// <param name="width">How wide the lines may be; a summary goes on below itself.</param>
    public static IEnumerable<string> Of(IReadOnlyCollection<Finding> findings, int width)
    {
        IEnumerable<string[]> rows =
        [
            ["CONTROL", "TARGET", "STATE", "SUMMARY"],
            .. findings.Select(finding => new[] { finding.Control, finding.Target, finding.State.Text(), finding.Summary }),
        ];
        var table = rows.ToList();
        var widths = Enumerable.Range(0, 3).Select(column => table.Max(row => row[column].Length) + 2).ToList();
        if (widths.Sum() + NarrowestSummary > width)
        {
            // Targets may be long: then a summary has a line of its own.
            return table.SelectMany(row => HangingLines.Fit("    " + row[3], 4, width).Prepend($"{row[0]}  {(row[1].Length == 0 ? "-" : row[1])}  {row[2]}"));
        }

        return table
            .Select(row => string.Concat(widths.Select((cell, column) => row[column].PadRight(cell)).Append(row[3])))
            .SelectMany(line => HangingLines.Fit(line, widths.Sum(), width));
    }
}
