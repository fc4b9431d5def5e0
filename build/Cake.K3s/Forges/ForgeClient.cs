using Octokit;
using Octokit.Internal;

namespace Cake.K3s.Forges;

/// <summary>
/// Asks Gitea's or GitHub's API, through Octokit. What differs between the two is read nowhere: a status that was made says
/// <c>state</c> in one and <c>status</c> in the other.
/// </summary>
internal sealed class ForgeClient
{
    // GitHub takes this many characters for a status, Gitea more.
    private const int LongestDescription = 140;

    // GitHub takes 65,536 in a comment or a release.
    private const int LongestBody = 60_000;

    private const int MostCommits = 50;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly ForgeJob _job;
    private readonly GitHubClient _client;

    /// <summary>Makes a client for a job that has a token.</summary>
    public ForgeClient(ForgeJob job)
    {
        _job = job;

        // GitHubClient's own constructor for other servers puts /api/v3/ in place of the address' path.
        var connection = new Connection(
            new ProductHeaderValue("cake-k3s"),
            job.Api,
            new InMemoryCredentialStore(new Credentials(job.Token!.Reveal())));
        connection.SetRequestTimeout(Limit);
        _client = new GitHubClient(connection);
    }

    /// <summary>Sets the state of one part of the commit's checks.</summary>
    /// <param name="context">What tells it apart; a later state of the same context replaces it.</param>
    /// <param name="state">The state.</param>
    /// <param name="description">One line.</param>
    public Task SetStatusAsync(string context, CommitState state, string description) => _client.Repository.Status.Create(
        _job.Owner,
        _job.Repository,
        _job.Commit,
        new NewCommitStatus
        {
            Context = context,
            State = state,
            Description = description.Length > LongestDescription ? description[..(LongestDescription - 1)] + "…" : description,
            TargetUrl = _job.Page?.AbsoluteUri,
        });

    /// <summary>Writes a comment into the job's pull request, in place of the last one with the same mark.</summary>
    public async Task CommentAsync(string mark, string body)
    {
        var comments = _client.Issue.Comment;
        var text = Shortened($"{mark}\n{body}");
        var all = await comments.GetAllForIssue(_job.Owner, _job.Repository, _job.PullRequest!.Value);
        if (all.FirstOrDefault(comment => comment.Body?.StartsWith(mark, StringComparison.Ordinal) == true) is { } former)
        {
            await comments.Update(_job.Owner, _job.Repository, former.Id, text);
        }
        else
        {
            await comments.Create(_job.Owner, _job.Repository, _job.PullRequest.Value, text);
        }
    }

    /// <summary>Makes a release of the job's commit, with what came since the last one of the same prefix below the notes.</summary>
    /// <param name="prefix">What the tags of such releases begin with, e.g. <c>production-</c>.</param>
    /// <param name="number">What follows it.</param>
    /// <param name="title">The release's name.</param>
    /// <param name="notes">Markdown.</param>
    public async Task ReleaseAsync(string prefix, int number, string title, string notes)
    {
        var tag = prefix + number;
        var releases = await _client.Repository.Release.GetAll(_job.Owner, _job.Repository, new ApiOptions { PageCount = 1, PageSize = 50 });
        if (releases.Any(release => release.TagName == tag))
        {
            return;
        }

        var former = releases.FirstOrDefault(release => release.TagName.StartsWith(prefix, StringComparison.Ordinal))?.TagName;
        await _client.Repository.Release.Create(_job.Owner, _job.Repository, new NewRelease(tag)
        {
            TargetCommitish = _job.Commit,
            Name = title,
            Body = Shortened(former is null ? notes : $"{notes}\n\n{await ChangesAsync(former)}"),
        });
    }

    private async Task<string> ChangesAsync(string former)
    {
        var page = $"{_job.Server.AbsoluteUri.TrimEnd('/')}/{_job.Owner}/{_job.Repository}/compare/{former}...{_job.Commit}";
        try
        {
            var compared = await _client.Repository.Commit.Compare(_job.Owner, _job.Repository, former, _job.Commit);
            var lines = compared.Commits.TakeLast(MostCommits).Reverse().Select(commit => $"- {commit.Commit.Message.Split('\n')[0]} ({commit.Sha[..Math.Min(8, commit.Sha.Length)]})");
            return $"### Changes since [{former}]({page})\n\n{string.Join('\n', lines)}";
        }
        catch (ApiException)
        {
            // Its tag was deleted, or the server is older than the comparison.
            return $"[Changes since {former}]({page})";
        }
    }

    private static string Shortened(string text) => text.Length > LongestBody ? text[..LongestBody] + "\n\n… (the rest is in the job's log)" : text;
}
