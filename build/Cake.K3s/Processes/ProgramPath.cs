namespace Cake.K3s.Processes;

/// <summary>Finds a program the way a shell does.</summary>
internal static class ProgramPath
{
    /// <summary>Absolute path of the program, or null where there is none that may be executed.</summary>
    /// <param name="program">A name, or a path that is taken as it is.</param>
    /// <param name="searchPath">The value of PATH.</param>
    public static string? Find(string program, string? searchPath) => All(program, searchPath).FirstOrDefault();

    /// <summary>Every program of that name, in the order of PATH.</summary>
    public static IEnumerable<string> All(string program, string? searchPath)
    {
        IEnumerable<string> places = program.Contains(Path.DirectorySeparatorChar, StringComparison.Ordinal)
            ? [program]
            : (searchPath ?? "")
                .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
                .Where(Path.IsPathRooted)
                .Select(directory => Path.Combine(directory, program));
        return places
            .SelectMany(place => OperatingSystem.IsWindows() ? new[] { place, place + ".exe", place + ".cmd" } : [place])
            .Where(IsExecutable)
            .Select(Path.GetFullPath);
    }

    private static bool IsExecutable(string path)
    {
        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        return File.Exists(path) && (OperatingSystem.IsWindows() || (File.GetUnixFileMode(path) & Execute) != 0);
    }
}
