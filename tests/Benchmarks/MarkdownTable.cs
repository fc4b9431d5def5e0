using System.Globalization;

namespace Benchmarks;

/// <summary>Writes a table to standard output, from where <c>all</c> takes it into docs/benchmarks.md.</summary>
internal static class MarkdownTable
{
    public static void Write(IReadOnlyList<string> head, IEnumerable<IReadOnlyList<string>> rows)
    {
        Row(head);
        Row([.. head.Select((_, column) => column == 0 ? "---" : "---:")]);
        foreach (var row in rows)
        {
            Row(row);
        }
    }

    /// <summary>A duration in seconds.</summary>
    public static string Seconds(TimeSpan duration) => duration.TotalSeconds.ToString(duration.TotalSeconds < 1 ? "0.000" : "0.00", CultureInfo.InvariantCulture);

    private static void Row(IReadOnlyList<string> cells) => Console.WriteLine($"| {string.Join(" | ", cells)} |");
}
