namespace Cake.K3s.Settings;

/// <summary>What ScalingReport reads, and what nobody but the operator knows.</summary>
public sealed record ScalingSettings
{
    /// <summary>The Deployment that answers requests.</summary>
    public string Deployment { get; init; } = "api";

    /// <summary>The Deployment of Redis.</summary>
    public string Redis { get; init; } = "redis";

    /// <summary>The secret of this environment that holds the database's URL.</summary>
    [Pattern(PatternAttribute.VariableName, PatternAttribute.VariableNameMeaning)]
    public string Database { get; init; } = "DATABASE_URL";

    /// <summary>The bucket with the app's files; null for none.</summary>
    public ObjectStorageSettings? Storage { get; init; }

    /// <summary>How many users were active in the last month; null where that is not known.</summary>
    public int? Users { get; init; }

    /// <summary>The revenue of the last month; null where that is not known.</summary>
    public int? Revenue { get; init; }
}

/// <summary>A bucket that speaks S3, to be read.</summary>
public sealed record ObjectStorageSettings
{
    /// <summary>The service's address, e.g. <c>https://s3.eu-central-003.backblazeb2.com</c>.</summary>
    [Pattern("^https?://[^/ ]+$", "an address without a path, such as https://s3.eu-central-003.backblazeb2.com")]
    public required string Endpoint { get; init; }

    /// <summary>The region that requests are signed for.</summary>
    public string Region { get; init; } = "us-east-1";

    /// <summary>The bucket.</summary>
    [Pattern("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", "3 to 63 lower-case letters, digits, dots and dashes")]
    public required string Bucket { get; init; }

    /// <summary>A key that may list it.</summary>
    public required StorageKeySettings Key { get; init; }
}
