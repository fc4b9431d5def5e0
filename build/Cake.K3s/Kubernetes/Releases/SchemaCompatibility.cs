using System.Collections.Immutable;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>Decides whether an older release can live with the schema that is in the database now.</summary>
internal static class SchemaCompatibility
{
    /// <summary>Why a release cannot come back; null if it can.</summary>
    /// <param name="releases">All that are recorded.</param>
    /// <param name="target">The release that would come back.</param>
    public static string? Obstacle(ImmutableArray<Release> releases, Release target)
    {
        var schema = target.SchemaVersion;
        foreach (var release in releases.Where(release => release.Number > target.Number).OrderBy(release => release.Number))
        {
            if (release.SchemaVersion is null || release.SchemaVersion == schema)
            {
                continue;
            }

            if (release.SchemaChange == SchemaChange.Contract)
            {
                return $"{release} changed the schema from {schema ?? "unknown"} to {release.SchemaVersion} and declared that older releases do not fit it (migration.change: contract)";
            }

            schema = release.SchemaVersion;
        }

        return null;
    }
}
