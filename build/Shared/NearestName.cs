namespace Cake.Shared;

/// <summary>Finds the known name that a mistyped one most likely meant. Compiled into each assembly that needs it.</summary>
internal static class NearestName
{
    /// <summary>The nearest of the known names, or null where none is near: more than a third of the letters differ.</summary>
    public static string? Find(string typed, IEnumerable<string> known)
    {
        var best = known
            .Select(name => (Name: name, Distance: Distance(Fold(typed), Fold(name))))
            .OrderBy(candidate => candidate.Distance)
            .FirstOrDefault();
        return best.Name is not null && best.Distance <= Math.Max(1, Math.Max(typed.Length, best.Name.Length) / 3) ? best.Name : null;
    }

    // Dashes, underscores and case are what people most often get wrong: --dry-run is --dryrun.
    private static string Fold(string name) => name.Replace("-", "").Replace("_", "").ToLowerInvariant();

    // Levenshtein's distance, one row at a time.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                var substitution = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
                row[j] = Math.Min(substitution, Math.Min(above, row[j - 1]) + 1);
                diagonal = above;
            }
        }

        return row[right.Length];
    }
}
