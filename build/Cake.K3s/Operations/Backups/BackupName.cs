using System.Globalization;

namespace Cake.K3s.Operations.Backups;

/// <summary>The name of a backup in its bucket: <c>PREFIX/20261123T031700Z.tar.age</c>. backup.sh makes the same names.</summary>
/// <param name="Prefix">What stands before it, without a slash at its end.</param>
/// <param name="MadeAt">When it was begun, to the second.</param>
internal sealed record BackupName(string Prefix, DateTimeOffset MadeAt)
{
    private const string Suffix = ".tar.age";
    private const string Time = "yyyyMMdd'T'HHmmss'Z'";

    /// <summary>Reads a name; null for what is no backup's.</summary>
    public static BackupName? Parse(string key)
    {
        var slash = key.LastIndexOf('/');
        return slash > 0
            && key.EndsWith(Suffix, StringComparison.Ordinal)
            && DateTimeOffset.TryParseExact(
                key[(slash + 1)..^Suffix.Length], Time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var madeAt)
            ? new(key[..slash], madeAt)
            : null;
    }

    /// <summary>Whether names of this prefix are backups of an app: of its database, or of its cluster's etcd.</summary>
    /// <param name="prefix">The prefix of a name.</param>
    /// <param name="app">What stands before the names of the app's backups.</param>
    public static bool IsOf(string prefix, string app) => prefix == app || prefix.StartsWith(app + "/etcd/", StringComparison.Ordinal);

    /// <inheritdoc/>
    public override string ToString() => $"{Prefix}/{MadeAt.UtcDateTime.ToString(Time, CultureInfo.InvariantCulture)}{Suffix}";
}
