namespace Cake.K3s.Kubernetes.Planning;

/// <summary>The lines that differ between two texts.</summary>
internal static class LineDiff
{
    // Beyond this the table of the longest common subsequence would cost more than anybody reads.
    private const int MostLines = 1_000;

    /// <summary>Removed lines with <c>-</c> and added ones with <c>+</c> in front, in their order; lines that stay are left out.</summary>
    public static IEnumerable<string> Between(string before, string after)
    {
        var old = before.Split('\n');
        var now = after.Split('\n');
        if (old.Length > MostLines || now.Length > MostLines)
        {
            return [$"  {old.Length} lines → {now.Length} lines"];
        }

        var common = CommonFrom(old, now);
        var lines = new List<string>();
        var (i, j) = (0, 0);
        while (i < old.Length || j < now.Length)
        {
            if (i < old.Length && j < now.Length && old[i] == now[j])
            {
                (i, j) = (i + 1, j + 1);
            }
            else if (j == now.Length || (i < old.Length && common[i + 1, j] >= common[i, j + 1]))
            {
                lines.Add($"  - {old[i++]}");
            }
            else
            {
                lines.Add($"  + {now[j++]}");
            }
        }

        return lines;
    }

    /// <summary>The length of the longest common subsequence of what follows each pair of positions.</summary>
    private static int[,] CommonFrom(string[] old, string[] now)
    {
        var common = new int[old.Length + 1, now.Length + 1];
        for (var i = old.Length - 1; i >= 0; i--)
        {
            for (var j = now.Length - 1; j >= 0; j--)
            {
                common[i, j] = old[i] == now[j] ? common[i + 1, j + 1] + 1 : Math.Max(common[i + 1, j], common[i, j + 1]);
            }
        }

        return common;
    }
}
