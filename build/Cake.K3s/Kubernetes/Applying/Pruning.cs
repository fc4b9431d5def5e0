using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>Decides which objects of a set may be deleted once they are no longer in the manifests.</summary>
internal static class Pruning
{
    /// <summary>Keeps an object: <c>cake-k3s/prune: "false"</c>.</summary>
    public const string Annotation = "cake-k3s/prune";

    // To delete one of these deletes what cannot be made anew: data, or all objects in or of it.
    private static readonly ImmutableHashSet<(string, string)> Precious =
    [
        ("", "Namespace"), ("", "PersistentVolumeClaim"), ("", "PersistentVolume"), ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ];

    /// <summary>Whether an object may be deleted.</summary>
    public static bool IsAllowed(JsonObject member)
    {
        var type = GroupVersionKind.Of(member);
        return IsOurs(member) && !Precious.Contains((type.Group, type.Kind)) && member.Annotation(Annotation) != "false";
    }

    /// <summary>
    /// Whether this library made an object: it applied it, and no controller keeps it. A label alone may have been copied along.
    /// </summary>
    public static bool IsOurs(JsonObject member) =>
        FieldOwnership.Applied(member, WriteOptions.DefaultFieldManager)
        && member.Annotation(DesiredObject.HashAnnotation) is not null
        && !member.Objects("metadata", "ownerReferences").Any(owner => owner.Flag("controller") == true)
        && member.At("metadata", "deletionTimestamp") is null;
}
