namespace Cake.K3s.Hosting;

/// <summary>Finds deploy.yaml.</summary>
internal static class RepositoryRoot
{
    /// <summary>The file's name.</summary>
    public const string SettingsFileName = "deploy.yaml";

    /// <summary>The directory itself or the nearest one above it that holds deploy.yaml; the directory where none does.</summary>
    public static string Above(string directory)
    {
        for (var candidate = new DirectoryInfo(directory); candidate is not null; candidate = candidate.Parent)
        {
            if (File.Exists(Path.Combine(candidate.FullName, SettingsFileName)))
            {
                return candidate.FullName;
            }
        }

        return directory;
    }
}
