using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>What the rules judge: an object with all that belongs to it, at one moment. Data only.</summary>
internal sealed record Observation
{
    /// <summary>The object.</summary>
    public required JsonObject Object { get; init; }

    /// <summary>The ReplicaSets it owns.</summary>
    public ImmutableArray<JsonObject> ReplicaSets { get; init; } = [];

    /// <summary>The Jobs it owns.</summary>
    public ImmutableArray<JsonObject> Jobs { get; init; } = [];

    /// <summary>The pods below it, of every revision.</summary>
    public ImmutableArray<JsonObject> Pods { get; init; } = [];

    /// <summary>The events (core/v1) of all of these.</summary>
    public ImmutableArray<JsonObject> Events { get; init; } = [];

    /// <summary>When the rollout began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The moment that is judged.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The events of one object, oldest first.</summary>
    public IEnumerable<JsonObject> EventsOf(JsonObject target)
    {
        var uid = target.Uid();
        return Events.Where(e => e.Text("involvedObject", "uid") == uid).OrderBy(LastSeen);
    }

    /// <summary>When an event was last seen; newer writers set <c>eventTime</c> alone.</summary>
    public static DateTimeOffset LastSeen(JsonObject e) =>
        e.Time("series", "lastObservedTime") ?? e.Time("lastTimestamp") ?? e.Time("eventTime") ?? e.CreatedAt() ?? DateTimeOffset.MinValue;
}
