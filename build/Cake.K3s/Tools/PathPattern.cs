namespace Cake.K3s.Tools;

/// <summary>Paths with a <c>*</c> in them, as in <c>/usr/lib/postgresql/*/bin</c>.</summary>
internal static class PathPattern
{
    /// <summary>The files and directories that fit, the last in alphabetical order (the highest version) first.</summary>
    /// <param name="root">Absolute path of the directory that the pattern is relative to; of no matter where it is absolute.</param>
    /// <param name="pattern">The pattern; each <c>*</c> stands for letters of one name.</param>
    public static IEnumerable<string> Expand(string root, string pattern)
    {
        var full = Path.Combine(root, pattern);
        var start = Path.GetPathRoot(full)!;
        return full[start.Length..]
            .Split(Path.DirectorySeparatorChar, Path.AltDirectorySeparatorChar)
            .Aggregate<string, IEnumerable<string>>([start], (found, name) => found.SelectMany(directory => Step(directory, name)))
            .Where(Path.Exists);
    }

    private static IEnumerable<string> Step(string directory, string name) =>
        !name.Contains('*', StringComparison.Ordinal) ? [Path.Combine(directory, name)]
        : !Directory.Exists(directory) ? []
        : Directory.EnumerateFileSystemEntries(directory, name).OrderDescending(StringComparer.Ordinal);
}
