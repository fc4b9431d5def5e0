using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Names one object of a cluster.</summary>
/// <param name="Type">Its type.</param>
/// <param name="Namespace">Its namespace; null for an object of the whole cluster, or for the client's own namespace.</param>
/// <param name="Name">Its name.</param>
public sealed record ObjectKey(GroupVersionKind Type, string? Namespace, string Name)
{
    /// <summary>Names an object by what its own <c>apiVersion</c>, <c>kind</c> and <c>metadata</c> say.</summary>
    public static ObjectKey Of(JsonObject node) =>
        new(GroupVersionKind.Of(node), node.NamespaceName(), node.ObjectName() ?? "");

    /// <summary>The same object whatever version it is named by: group, kind, namespace and name.</summary>
    public ObjectIdentity Identity => new(Type.Group, Type.Kind, Namespace, Name);

    /// <summary>As kubectl and people name it: <c>Deployment/api</c>.</summary>
    public override string ToString() => $"{Type.Kind}/{Name}";
}

/// <summary>An object whatever version of its type it is named by.</summary>
/// <param name="Group">The group of its type; empty for the core group.</param>
/// <param name="Kind">The kind of its type.</param>
/// <param name="Namespace">Its namespace; null for an object of the whole cluster, or for the client's own namespace.</param>
/// <param name="Name">Its name.</param>
public sealed record ObjectIdentity(string Group, string Kind, string? Namespace, string Name);
