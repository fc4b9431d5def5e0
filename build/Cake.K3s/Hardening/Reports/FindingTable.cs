namespace Cake.K3s.Hardening.Reports;

/// <summary>Findings as lines of a table.</summary>
internal static class FindingTable
{
    /// <summary>The lines: a head, then one for each finding in the order of the controls.</summary>
    public static IEnumerable<string> Of(IReadOnlyCollection<Finding> findings)
    {
        IEnumerable<string[]> rows =
        [
            ["CONTROL", "TARGET", "STATE", "SUMMARY"],
            .. findings.Select(finding => new[] { finding.Control, finding.Target, finding.State.Text(), finding.Summary }),
        ];
        var table = rows.ToList();
        var widths = Enumerable.Range(0, 3).Select(column => table.Max(row => row[column].Length) + 2).ToList();
        return table.Select(row => string.Concat(widths.Select((width, column) => row[column].PadRight(width)).Append(row[3])));
    }
}
