namespace Cake.K3s.Settings;

/// <summary>Paths as an operator writes them in deploy.yaml.</summary>
internal static class UserPath
{
    /// <summary>The absolute path: <c>~</c> is the home directory, the rest is relative to the directory of deploy.yaml.</summary>
    /// <param name="path">As written.</param>
    /// <param name="root">Absolute path of the directory of deploy.yaml.</param>
    /// <param name="variables">Where the home directory is read from.</param>
    public static string Resolve(string path, string root, EnvironmentVariables variables)
    {
        var home = variables["HOME"] ?? variables["USERPROFILE"];
        var expanded = home is not null && (path == "~" || path.StartsWith("~/", StringComparison.Ordinal)) ? home + path[1..] : path;
        return Path.GetFullPath(expanded, root);
    }
}
