using System.Collections.Immutable;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>How the API serves a type.</summary>
/// <param name="Type">The type.</param>
/// <param name="Plural">The name in addresses, e.g. <c>deployments</c>.</param>
/// <param name="Namespaced">Whether its objects live in namespaces.</param>
/// <param name="Verbs">What can be done, e.g. <c>get</c>, <c>list</c>, <c>patch</c>.</param>
/// <param name="Subresources">E.g. <c>status</c>, <c>scale</c>.</param>
public sealed record ApiResource(
    GroupVersionKind Type,
    string Plural,
    bool Namespaced,
    ImmutableArray<string> Verbs,
    ImmutableArray<string> Subresources)
{
    /// <summary>The path of its objects.</summary>
    /// <param name="namespaceName">The namespace; null for all namespaces or for an object of the whole cluster.</param>
    /// <param name="name">The object; null for the collection.</param>
    /// <param name="subresource">E.g. <c>status</c>; null for the object itself.</param>
    internal string Path(string? namespaceName, string? name = null, string? subresource = null)
    {
        var path = Type.Group.Length == 0 ? $"api/{Type.Version}" : $"apis/{Type.Group}/{Type.Version}";
        if (Namespaced && namespaceName is not null)
        {
            path += $"/namespaces/{Uri.EscapeDataString(namespaceName)}";
        }

        path += $"/{Plural}";
        if (name is not null)
        {
            path += $"/{Uri.EscapeDataString(name)}";
        }

        return subresource is null ? path : $"{path}/{subresource}";
    }
}
