using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>How long releases took.</summary>
internal static class ReleaseTiming
{
    private const int Compared = 10;

    /// <summary>The last ones before a release that reached a verdict.</summary>
    public static EarlierReleases Before(Release release, IEnumerable<Release> releases) => new([
        .. releases.Where(other => other.Number < release.Number && other.FinishedAt is not null)
            .OrderByDescending(other => other.Number)
            .Take(Compared)
            .Select(other => new EarlierRelease(
                other.Number,
                other.State.ToString(),
                other.StartedAt,
                (other.AppliedAt - other.StartedAt)?.TotalSeconds,
                (other.FinishedAt - other.AppliedAt)?.TotalSeconds,
                other.TaskSeconds))]);
}
