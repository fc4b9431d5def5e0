using System.Collections.Immutable;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Decides which release a deploy is: a new one, one that an interrupted run left, or the one that is deployed already.</summary>
internal static class ReleaseNumbering
{
    /// <param name="releases">All that are recorded, the newest first.</param>
    /// <param name="content">What is deployed.</param>
    public static ReleaseChoice Choose(ImmutableArray<Release> releases, string content)
    {
        var next = releases.IsEmpty ? 1 : releases[0].Number + 1;

        // What was rolled back is not in the cluster any more; the one before it is.
        var present = releases.FirstOrDefault(release => release.State != ReleaseState.RolledBack);
        return present switch
        {
            { State: ReleaseState.Pending or ReleaseState.Applied } when present.Content == content => new(present.Number, present, null),
            { State: ReleaseState.Pending or ReleaseState.Applied } => new(next, null, present),
            { State: ReleaseState.Verified } when present.Content == content => new(present.Number, present, null),
            _ => new(next, null, null),
        };
    }

    /// <summary>The newest verified release, other than one.</summary>
    public static Release? LastGood(ImmutableArray<Release> releases, Release? except = null) =>
        releases.FirstOrDefault(release => release.State == ReleaseState.Verified && release.Number != except?.Number);
}

/// <summary>Which release a deploy is.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Existing">Its record, if there is one.</param>
/// <param name="Interrupted">Another one that was interrupted and is replaced by it.</param>
internal sealed record ReleaseChoice(int Number, Release? Existing, Release? Interrupted);
