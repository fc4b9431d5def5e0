using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Settings;

namespace Cake.K3s.Forges;

/// <summary>The job of Gitea or GitHub Actions that this run is part of.</summary>
/// <param name="Server">The forge's address.</param>
/// <param name="Api">Its API, with a slash at the end: <c>…/api/v1/</c> of Gitea, <c>https://api.github.com/</c> of GitHub.</param>
/// <param name="Owner">Whose repository it is.</param>
/// <param name="Repository">The repository's name.</param>
/// <param name="Commit">The commit that statuses belong to: of a pull request its head, not the merge that is tried.</param>
/// <param name="PullRequest">The pull request's number; null for a run of none.</param>
/// <param name="Page">The run's page; null where it is not known.</param>
/// <param name="Token">What the API is asked with; null for a run that may not ask.</param>
/// <param name="SummaryFile">The file that the job's summary is written to; null where the server has none.</param>
internal sealed partial record ForgeJob(
    Uri Server,
    Uri Api,
    string Owner,
    string Repository,
    string Commit,
    int? PullRequest,
    Uri? Page,
    Secret? Token,
    string? SummaryFile)
{
    /// <summary>Whether this run is a job of Gitea's or GitHub's Actions; both say so in the same way.</summary>
    public static bool IsIn(EnvironmentVariables variables) => variables["GITHUB_ACTIONS"] == "true" || variables["GITEA_ACTIONS"] == "true";

    /// <summary>Reads it from the variables that both set alike; null outside of them.</summary>
    public static ForgeJob? Find(EnvironmentVariables variables)
    {
        if (!IsIn(variables)
            || !Uri.TryCreate(variables["GITHUB_SERVER_URL"], UriKind.Absolute, out var server)
            || variables["GITHUB_REPOSITORY"]?.Split('/') is not [var owner, var repository]
            || variables["GITHUB_SHA"] is not { } commit)
        {
            return null;
        }

        var isGitea = variables["GITEA_ACTIONS"] == "true";
        var usual = isGitea ? new Uri(WithSlash(server), "api/v1/") : new Uri("https://api.github.com/");
        var api = Uri.TryCreate(variables["GITHUB_API_URL"], UriKind.Absolute, out var told) ? WithSlash(told) : usual;
        var pullRequest = PullRequestReference().Match(variables["GITHUB_REF"] ?? "") is { Success: true } match
            ? int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture)
            : (int?)null;
        return new(
            server,
            api,
            owner,
            repository,
            pullRequest is null ? commit : HeadCommit(variables["GITHUB_EVENT_PATH"]) ?? commit,
            pullRequest,
            RunOrigin.PageOf(variables) is { } page ? new Uri(page) : null,
            (variables["GITEA_TOKEN"] ?? variables["GITHUB_TOKEN"]) is { } token ? new Secret(token) : null,
            variables["GITHUB_STEP_SUMMARY"]);
    }

    private static Uri WithSlash(Uri address) => address.AbsoluteUri.EndsWith('/') ? address : new Uri(address.AbsoluteUri + "/");

    private static string? HeadCommit(string? eventFile)
    {
        try
        {
            return eventFile is not null && File.Exists(eventFile)
                ? JsonNode.Parse(File.ReadAllText(eventFile))?["pull_request"]?["head"]?["sha"]?.GetValue<string>()
                : null;
        }
        catch (Exception unreadable) when (unreadable is JsonException or IOException or InvalidOperationException or UnauthorizedAccessException)
        {
            return null; // The commit that was checked out has to do.
        }
    }

    [GeneratedRegex(@"^refs/pull/(\d{1,9})/")]
    private static partial Regex PullRequestReference();
}
