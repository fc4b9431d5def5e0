using System.Collections.Immutable;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Decides which release a rollback goes back to. Pure.</summary>
internal static class RollbackTarget
{
    /// <param name="releases">All that are recorded, the newest first.</param>
    /// <param name="number">The one that is asked for; null for the last verified one before the present.</param>
    /// <exception cref="K3sException">There is none.</exception>
    public static Release Choose(ImmutableArray<Release> releases, int? number)
    {
        if (number is null)
        {
            var present = releases.FirstOrDefault(release => release.State != ReleaseState.RolledBack);
            return releases.FirstOrDefault(release =>
                    release.State == ReleaseState.Verified && release.Number < present?.Number && release.Content != present.Content)
                ?? throw new K3sException(ExitCodes.Failed, "there is no earlier release that was verified", "History lists the releases; deploy a fix instead");
        }

        var target = releases.FirstOrDefault(release => release.Number == number) ?? throw new K3sException(
            ExitCodes.BadInput,
            $"there is no release {number}",
            releases.IsEmpty ? "nothing was deployed yet" : $"choose one of {string.Join(", ", releases.Select(release => release.Number))} (--target=History)");
        return target.State == ReleaseState.Verified
            ? target
            : throw new K3sException(ExitCodes.BadInput, $"{target} is {target.State}: it never rolled out", "choose one that History shows as Verified");
    }
}
