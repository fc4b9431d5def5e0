using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>What a path under <c>/api</c> or <c>/apis</c> is about.</summary>
/// <param name="Resource">The resource.</param>
/// <param name="Namespace">The namespace in the path; null when there is none.</param>
/// <param name="Name">The object; null for the collection.</param>
/// <param name="Subresource">The path under the object; null for the object itself.</param>
internal sealed record RequestTarget(ResourceDefinition Resource, string? Namespace, string? Name, string? Subresource)
{
    /// <summary>The namespace an object is kept under: empty for cluster scope.</summary>
    public string StorageNamespace => Namespace ?? "";

    /// <summary>Reads the segments of a path after <c>/api</c> or <c>/apis</c>; null when nothing is served there.</summary>
    public static RequestTarget? Parse(ReadOnlySpan<string> segments, ResourceCatalog.Snapshot catalog)
    {
        GroupVersion version;
        if (segments is ["api", var core, ..])
        {
            version = new GroupVersion("", core);
            segments = segments[2..];
        }
        else if (segments is ["apis", var group, var number, ..])
        {
            version = new GroupVersion(group, number);
            segments = segments[3..];
        }
        else
        {
            return null;
        }

        string? inNamespace = null;
        if (segments is ["namespaces", var name, var next, ..] && !(version is { Group: "", Version: "v1" } && next is "status" or "finalize" && segments.Length == 3))
        {
            inNamespace = name;
            segments = segments[2..];
        }

        if (segments.IsEmpty || catalog.Find(version, segments[0]) is not { } resource)
        {
            return null;
        }

        if (inNamespace is not null && !resource.Namespaced)
        {
            return null;
        }

        var subresource = segments.Length > 2 ? segments[2] : null;
        if (segments.Length > 3 && subresource != "proxy")
        {
            return null;
        }

        return new RequestTarget(resource, inNamespace, segments.Length > 1 ? segments[1] : null, subresource);
    }
}
