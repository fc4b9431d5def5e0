namespace Cake.K3s.Kubernetes.Api;

/// <summary>Which objects are listed or watched; all of them by default.</summary>
public sealed record ListOptions
{
    /// <summary>E.g. <c>app=api,tier in (web,worker)</c>.</summary>
    public string? LabelSelector { get; init; }

    /// <summary>E.g. <c>involvedObject.name=api-7c9</c>.</summary>
    public string? FieldSelector { get; init; }
}

/// <summary>The objects of a list, as they were at one moment.</summary>
/// <param name="Items">The objects; each says its <c>apiVersion</c> and <c>kind</c>.</param>
/// <param name="ResourceVersion">The moment, from which a watch can go on.</param>
public sealed record ObjectList(IReadOnlyList<System.Text.Json.Nodes.JsonObject> Items, string ResourceVersion);
