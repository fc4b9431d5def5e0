using LibGit2Sharp;

namespace Cake.K3s.Images;

/// <summary>The commit that is checked out.</summary>
/// <param name="Commit">Its full hash.</param>
/// <param name="Time">When it was committed.</param>
/// <param name="IsDirty">Whether files differ from it, or are new and not ignored.</param>
/// <param name="Remote">Where the repository comes from, without user name and password; null if it has no origin.</param>
internal sealed record SourceRevision(string Commit, DateTimeOffset Time, bool IsDirty, string? Remote = null)
{
    /// <summary>The revision of the work tree that a directory is in; null if it is in none, or nothing is committed yet.</summary>
    public static SourceRevision? Of(string directory)
    {
        if (Repository.Discover(directory) is not { } found)
        {
            return null;
        }

        using var repository = new Repository(found);
        if (repository.Head.Tip is not { } tip)
        {
            return null;
        }

        var status = repository.RetrieveStatus(new StatusOptions { IncludeIgnored = false, IncludeUnaltered = false, RecurseUntrackedDirs = false });
        return new(tip.Sha, tip.Committer.When, status.IsDirty, repository.Network.Remotes["origin"]?.Url is { } url ? WithoutCredentials(url) : null);
    }

    // A CI job's clone may have a token in its origin.
    private static string WithoutCredentials(string url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var address) && address.UserInfo.Length > 0
            ? new UriBuilder(address) { UserName = "", Password = "" }.Uri.AbsoluteUri
            : url;
}
