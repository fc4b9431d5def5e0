using System.Globalization;
using Cake.K3s.Sandbox.Daemon;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>Shows how the parts of a sandbox are.</summary>
internal static class StatusTable
{
    /// <summary>A line of headings and one a part, in columns.</summary>
    public static IEnumerable<string> Lines(SandboxStatus status)
    {
        List<string[]> rows =
        [
            ["PART", "HEALTH", "PID", "VERSION", "ADDRESS"],
            .. status.Parts.Select(part => (string[])
            [
                part.Name,
                part.Problem ?? "ok",
                part.ProcessId?.ToString(CultureInfo.InvariantCulture) ?? "-",
                part.Version.Length == 0 ? "-" : part.Version,
                part.Address,
            ]),
        ];
        var widths = Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length)).ToArray();
        return rows.Select(row => string.Join("  ", row.Select((cell, column) => cell.PadRight(widths[column]))).TrimEnd());
    }
}
