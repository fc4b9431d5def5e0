using System.Globalization;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Readiness;

/// <summary>Reads what controllers write into objects. A field that is absent or of another type reads as absent: the rules judge
/// whatever a server sends and never fail on its shape.</summary>
internal static class ObjectStatus
{
    public static DateTimeOffset? Time(this JsonNode? node, params ReadOnlySpan<string> path) =>
        DateTimeOffset.TryParse(
            node.Text(path), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
            ? time
            : null;

    public static DateTimeOffset? CreatedAt(this JsonNode? node) => node.Time("metadata", "creationTimestamp");

    public static bool IsBeingDeleted(this JsonNode? node) => node.Text("metadata", "deletionTimestamp") is not null;

    /// <summary>Whether an owner reference of the object has that uid.</summary>
    public static bool IsOwnedBy(this JsonNode? node, string? uid) =>
        uid is not null && node.Objects("metadata", "ownerReferences").Any(owner => owner.Text("uid") == uid);

    /// <summary>The condition of a type in <c>status.conditions</c>, or null.</summary>
    public static JsonObject? Condition(this JsonNode? node, string type) =>
        node.Objects("status", "conditions").FirstOrDefault(condition => condition.Text("type") == type);

    /// <summary>Whether a condition is there with status <c>True</c>.</summary>
    public static bool IsTrue(this JsonNode? node, string conditionType) => node.Condition(conditionType).Text("status") == "True";

    /// <summary>The statuses of a pod's containers: init containers first, in order.</summary>
    public static IEnumerable<JsonObject> ContainerStatuses(this JsonNode? pod) =>
        pod.Objects("status", "initContainerStatuses").Concat(pod.Objects("status", "containerStatuses"));

    /// <summary>Whether the controller has acted on the object as it is now. True for kinds that do not say.</summary>
    public static bool IsObserved(this JsonNode? node) =>
        node.Number("status", "observedGeneration") is not { } observed || observed >= (node.Number("metadata", "generation") ?? 0);
}
