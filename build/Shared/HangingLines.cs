namespace Cake.Shared;

/// <summary>Lines of two columns on a terminal: what does not fit goes on below the second column, and no word is broken.</summary>
internal static class HangingLines
{
    // Narrower, a column of its own leaves no room for words.
    private const int NarrowestColumn = 20;

    /// <summary>The width of the terminal; without an end where the output goes elsewhere.</summary>
    public static int TerminalWidth() => Console.IsOutputRedirected || Console.WindowWidth <= 0 ? int.MaxValue : Console.WindowWidth;

    /// <summary>A line as lines of at most a width; a word that is longer stays whole.</summary>
    public static IEnumerable<string> Fit(string line, int width)
    {
        var first = line.Length - line.TrimStart().Length;
        var gap = line.IndexOf("  ", first, StringComparison.Ordinal);
        return Fit(line, gap < 0 ? first : line.Length - line[gap..].TrimStart().Length, width);
    }

    /// <summary>The same, with the place at which the last column begins.</summary>
    public static IEnumerable<string> Fit(string line, int column, int width)
    {
        if (line.Length <= width)
        {
            yield return line;
            yield break;
        }

        var indent = new string(' ', column + NarrowestColumn <= width ? column : line.Length - line.TrimStart().Length + 2);
        var shown = line[..column];
        var isEmpty = true;
        foreach (var word in line[column..].Split(' '))
        {
            if (!isEmpty && shown.Length + 1 + word.Length > width)
            {
                yield return shown;
                (shown, isEmpty) = (indent, true);
            }

            shown += isEmpty ? word : " " + word;
            isEmpty = false;
        }

        yield return shown;
    }
}
