namespace Cake.K3s.Settings;

/// <summary>Who runs this, and where.</summary>
/// <param name="By">E.g. <c>ann@laptop</c>; in CI who started the run.</param>
/// <param name="CiRun">The address of the CI run; null outside CI.</param>
public sealed record RunOrigin(string By, string? CiRun)
{
    /// <summary>Reads it from this machine and, in CI, from the variables that Gitea and GitHub Actions set alike.</summary>
    public static RunOrigin Read() => From(Environment.GetEnvironmentVariable, Environment.UserName, Environment.MachineName);

    /// <summary>Works it out.</summary>
    /// <param name="variable">Reads an environment variable.</param>
    /// <param name="user">This process' user.</param>
    /// <param name="machine">This machine's name.</param>
    internal static RunOrigin From(Func<string, string?> variable, string user, string machine)
    {
        var server = variable("GITHUB_SERVER_URL")?.TrimEnd('/');
        var repository = variable("GITHUB_REPOSITORY");

        // Gitea numbers its pages by the run's number, GitHub by its id.
        var run = variable("GITEA_ACTIONS") == "true" ? variable("GITHUB_RUN_NUMBER") : variable("GITHUB_RUN_ID");
        return new(
            $"{variable("GITHUB_ACTOR") ?? user}@{machine}",
            server is null || repository is null || run is null ? null : $"{server}/{repository}/actions/runs/{run}");
    }
}
