using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cake.K3s.Reporting;

namespace Cake.K3s.Kubernetes.Releases;

/// <summary>One deploy, as it is recorded in the cluster; its manifests are kept beside it.</summary>
internal sealed record Release
{
    /// <summary>1, 2, 3 …</summary>
    public required int Number { get; init; }

    /// <summary>How far it came.</summary>
    public required ReleaseState State { get; init; }

    /// <summary>Names the manifests by what is in them; two releases with the same one are the same.</summary>
    public required string Content { get; init; }

    /// <summary>The images by name, as <c>repository@sha256:…</c>.</summary>
    public ImmutableSortedDictionary<string, string> Images { get; init; } = ImmutableSortedDictionary<string, string>.Empty;

    /// <summary>The commit that was checked out; null outside git.</summary>
    public string? Commit { get; init; }

    /// <summary>Whether files differed from the commit.</summary>
    public bool IsDirty { get; init; }

    /// <summary>Who deployed it, e.g. <c>ann@laptop</c>.</summary>
    public required string By { get; init; }

    /// <summary>The address of the CI run; null outside CI.</summary>
    public string? CiRun { get; init; }

    /// <summary>The version of the database schema that its migration left; null if there is none, or it is not known.</summary>
    public string? SchemaVersion { get; init; }

    /// <summary>Whether the releases before it can live with that schema.</summary>
    public Settings.SchemaChange SchemaChange { get; init; }

    /// <summary>The release whose manifests it put back; null for a deploy.</summary>
    public int? RollbackTo { get; init; }

    /// <summary>When it was begun.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>When all its objects were applied.</summary>
    public DateTimeOffset? AppliedAt { get; init; }

    /// <summary>When the verdict was known.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>The verdict in one line; null before it is known.</summary>
    public string? Verdict { get; init; }

    /// <summary>How long the tasks of its run took, in seconds, the one that reached the verdict up to there; empty before it is known.</summary>
    public ImmutableSortedDictionary<string, double> TaskSeconds { get; init; } = ImmutableSortedDictionary<string, double>.Empty;

    /// <summary>The version of its record in the cluster; null for one that is not recorded yet. Only that version is written over.</summary>
    [JsonIgnore]
    public string? ResourceVersion { get; init; }

    /// <summary>What is told of it.</summary>
    public ReleaseChanged ToEvent() => new(Number, State.ToString(), Commit, IsDirty, By, SchemaVersion, RollbackTo);

    /// <summary>For people: <c>release 7</c>.</summary>
    public override string ToString() => $"release {Number}";
}

/// <summary>How far a release came. One that was interrupted stays as it was, and is taken up by the next run.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ReleaseState>))]
internal enum ReleaseState
{
    /// <summary>Recorded; its objects are being applied.</summary>
    Pending,

    /// <summary>Its objects are applied; the verdict is not known yet.</summary>
    Applied,

    /// <summary>Rolled out.</summary>
    Verified,

    /// <summary>Failed, and still what is in the cluster.</summary>
    Failed,

    /// <summary>Failed, and replaced by the last verified release.</summary>
    RolledBack,

    /// <summary>Interrupted, and replaced by another release before its verdict was known.</summary>
    Superseded,
}

/// <summary>Reads and writes records.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Release))]
internal sealed partial class ReleaseJson : JsonSerializerContext;
