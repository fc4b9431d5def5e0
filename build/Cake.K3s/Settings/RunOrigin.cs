namespace Cake.K3s.Settings;

/// <summary>Who runs this, and where.</summary>
/// <param name="By">E.g. <c>ann@laptop</c>; in CI who started the run.</param>
/// <param name="CiRun">The address of the CI run; null outside CI.</param>
public sealed record RunOrigin(string By, string? CiRun)
{
    /// <summary>Reads it from this machine and, in CI, from the variables that Gitea and GitHub Actions set alike.</summary>
    public static RunOrigin Read() => Read(EnvironmentVariables.OfProcess);

    /// <summary>Reads it from this machine and from variables.</summary>
    internal static RunOrigin Read(EnvironmentVariables variables) => From(variables, Environment.UserName, Environment.MachineName);

    /// <summary>Works it out.</summary>
    /// <param name="variables">The environment variables.</param>
    /// <param name="user">This process' user.</param>
    /// <param name="machine">This machine's name.</param>
    internal static RunOrigin From(EnvironmentVariables variables, string user, string machine) =>
        new($"{variables["GITHUB_ACTOR"] ?? user}@{machine}", PageOf(variables));

    /// <summary>The page of the CI run; null outside CI.</summary>
    internal static string? PageOf(EnvironmentVariables variables)
    {
        // Gitea numbers its pages by the run's number, GitHub by its id.
        var run = variables["GITEA_ACTIONS"] == "true" ? variables["GITHUB_RUN_NUMBER"] : variables["GITHUB_RUN_ID"];
        return variables["GITHUB_SERVER_URL"]?.TrimEnd('/') is { } server && variables["GITHUB_REPOSITORY"] is { } repository && run is not null
            ? $"{server}/{repository}/actions/runs/{run}"
            : null;
    }
}
