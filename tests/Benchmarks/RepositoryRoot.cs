namespace Benchmarks;

/// <summary>Where the commands of the benchmarks run.</summary>
internal static class RepositoryRoot
{
    /// <summary>The nearest folder, from the program upwards, that has a build.sh.</summary>
    public static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "build.sh")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("There is no build.sh above " + AppContext.BaseDirectory);
    }
}
