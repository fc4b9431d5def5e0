namespace Cake.K3s.Tests.Fixtures;

/// <summary>This repository's own files.</summary>
internal static class SourceTree
{
    /// <summary>Absolute path of a file, from the root of the repository.</summary>
    public static string File(string relativePath)
    {
        var directory = new DirectoryInfo(AppContext.BaseDirectory);
        while (!System.IO.File.Exists(Path.Combine(directory.FullName, "Cake.K3s.slnx")))
        {
            directory = directory.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        }

        return Path.Combine(directory.FullName, relativePath);
    }
}
