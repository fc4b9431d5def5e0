namespace Cake.K3s.Kubernetes.Api;

/// <summary>How an object is written.</summary>
public record WriteOptions
{
    /// <summary>The name under which the library owns fields.</summary>
    public const string DefaultFieldManager = "cake-k3s";

    /// <summary>Who owns the fields that are written.</summary>
    public string FieldManager { get; init; } = DefaultFieldManager;

    /// <summary>The API checks, defaults and answers as it would, and stores nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>Writes to a subresource, e.g. <c>status</c> or <c>scale</c>; null for the object itself.</summary>
    public string? Subresource { get; init; }
}

/// <summary>How an object is applied.</summary>
public sealed record ApplyOptions : WriteOptions
{
    /// <summary>Takes over fields that other managers own, instead of failing with a conflict.</summary>
    public bool Force { get; init; }
}

/// <summary>What became of an object that was applied.</summary>
/// <param name="Node">The object as the API stored it.</param>
/// <param name="IsNew">Whether it was not there before.</param>
public readonly record struct AppliedObject(System.Text.Json.Nodes.JsonObject Node, bool IsNew);

/// <summary>How an object is deleted.</summary>
public sealed record DeleteOptions
{
    /// <summary>What becomes of the objects that it owns.</summary>
    public DeletePropagation Propagation { get; init; } = DeletePropagation.Background;

    /// <summary>Deletes only the object of this uid, never one of the same name that was made since; null for any.</summary>
    public string? Uid { get; init; }

    /// <summary>How long its containers may take to end; null for what the object says.</summary>
    public TimeSpan? GracePeriod { get; init; }

    /// <summary>The API checks and answers as it would, and deletes nothing.</summary>
    public bool DryRun { get; init; }
}

/// <summary>What becomes of the objects that a deleted object owns.</summary>
public enum DeletePropagation
{
    /// <summary>They are deleted after it.</summary>
    Background,

    /// <summary>They are deleted before it.</summary>
    Foreground,

    /// <summary>They stay.</summary>
    Orphan,
}

/// <summary>The kinds of patch that the API takes.</summary>
public enum PatchType
{
    /// <summary>RFC 7386.</summary>
    Merge,

    /// <summary>Kubernetes' own, which merges lists by key; built-in types only.</summary>
    StrategicMerge,

    /// <summary>RFC 6902.</summary>
    Json,
}
