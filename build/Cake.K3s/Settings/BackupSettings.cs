namespace Cake.K3s.Settings;

/// <summary>Backups of the database, made in the cluster on a schedule, and of etcd, by its servers; encrypted there, and kept at a provider other than the database's.</summary>
public sealed record BackupSettings
{
    /// <summary>When, as a CronJob's schedule in UTC.</summary>
    public string Schedule { get; init; } = "17 3 * * *";

    /// <summary>
    /// An image with <c>sh</c>, <c>psql</c> 16 or newer, <c>pg_dump</c> no older than the server, <c>age</c>, <c>curl</c> and <c>tar</c>; its
    /// reference with a digest, or <c>sandbox://backup</c>.
    /// </summary>
    public required string Image { get; init; }

    /// <summary>The secret of this environment that holds the database's URL, <c>postgres://user:password@host:port/database</c>.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string Database { get; init; } = "DATABASE_URL";

    /// <summary>The age recipient that backups are encrypted for; <c>age-keygen</c> prints it.</summary>
    [Pattern("^age1[0-9a-z]{58}$", "an age recipient, such as age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p")]
    public required string Recipient { get; init; }

    /// <summary>The age identity that decrypts them; asked for by Restore and RestoreDrill only. Keep a copy where no machine fails with it.</summary>
    public SecretSource? Identity { get; init; }

    /// <summary>Where they are kept.</summary>
    public required BackupStorageSettings Storage { get; init; }

    /// <summary>How many days of backups PruneBackups keeps; the newest is always kept.</summary>
    [Between(1, 3650)]
    public int KeepDays { get; init; } = 30;

    /// <summary>How old the newest backup may be before Audit calls the backups drifted.</summary>
    public Duration MaximumAge { get; init; } = Duration.FromMinutes(26 * 60);

    /// <summary>
    /// The secret of this environment with the URL of a Postgres server on which RestoreDrill makes a database of its own, and drops it; the
    /// server of <see cref="Database"/> where it is not set.
    /// </summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string? Scratch { get; init; }
}

/// <summary>A bucket that speaks S3: Backblaze B2, Hetzner Object Storage, and others.</summary>
public sealed record BackupStorageSettings
{
    /// <summary>The service's address, e.g. <c>https://s3.eu-central-003.backblazeb2.com</c>.</summary>
    [Pattern("^https?://[^/ ]+$", "an address without a path, such as https://s3.eu-central-003.backblazeb2.com")]
    public required string Endpoint { get; init; }

    /// <summary>The region that requests are signed for; on B2 the middle of the address, e.g. <c>eu-central-003</c>.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>The bucket.</summary>
    [Pattern("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "3 to 63 lower-case letters, digits, dots and dashes")]
    public required string Bucket { get; init; }

    /// <summary>What stands before the names of backups; the app's name by default.</summary>
    [Pattern("^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", "names separated by slashes, with none at either end")]
    public string? Prefix { get; init; }

    /// <summary>The key that the cluster uploads with. It needs to write; one that can neither list nor delete is best.</summary>
    public required StorageKeySettings Writer { get; init; }

    /// <summary>The key that lists, reads and deletes: of the operator, never in the cluster but for the time of a restore.</summary>
    public required StorageKeySettings Operator { get; init; }

    /// <summary>What stands before the names of an app's backups, without a slash at its end.</summary>
    internal string PrefixOf(string app) => Prefix ?? app;
}

/// <summary>An access key.</summary>
public sealed record StorageKeySettings
{
    /// <summary>The key's id.</summary>
    public required SecretSource Id { get; init; }

    /// <summary>The key itself.</summary>
    public required SecretSource Key { get; init; }
}
