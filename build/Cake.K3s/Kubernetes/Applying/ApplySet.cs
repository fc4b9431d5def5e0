using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>
/// The objects that belong to an app, as KEP-3659 marks them: each member carries the set's id in a label, and a parent object
/// (here a ConfigMap in the app's namespace) says which kinds there are, so that members are found again without asking for every
/// kind of the cluster.
/// </summary>
public sealed record ApplySet
{
    private const string IdLabel = "applyset.kubernetes.io/id";
    private const string ToolingAnnotation = "applyset.kubernetes.io/tooling";
    private const string KindsAnnotation = "applyset.kubernetes.io/contains-group-kinds";
    private const string NamespacesAnnotation = "applyset.kubernetes.io/additional-namespaces";

    /// <summary>The label that a member carries.</summary>
    internal const string PartOfLabel = "applyset.kubernetes.io/part-of";

    private static readonly GroupVersionKind ParentType = new("", "v1", "ConfigMap");

    /// <summary>Names a set.</summary>
    /// <param name="app">The app.</param>
    /// <param name="namespaceName">Its namespace.</param>
    public ApplySet(string app, string namespaceName)
    {
        App = app;
        Parent = new(ParentType, namespaceName, $"cake-k3s-{app}");

        // The KEP's own formula: <name>.<namespace>.<kind>.<group>.
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{Parent.Name}.{namespaceName}.{ParentType.Kind}.{ParentType.Group}"));
        Id = $"applyset-{Convert.ToBase64String(hash).TrimEnd('=').Replace('+', '-').Replace('/', '_')}-v1";
    }

    /// <summary>The app.</summary>
    public string App { get; }

    /// <summary>The parent object.</summary>
    public ObjectKey Parent { get; }

    /// <summary>The value of the members' label.</summary>
    public string Id { get; }

    /// <summary>Selects the members.</summary>
    internal string Selector => $"{PartOfLabel}={Id}";

    /// <summary>The parent object for a set of kinds and namespaces.</summary>
    internal JsonObject ParentNode(ApplySetContents contents) => new()
    {
        ["apiVersion"] = ParentType.ApiVersion,
        ["kind"] = ParentType.Kind,
        ["metadata"] = new JsonObject
        {
            ["name"] = Parent.Name,
            ["namespace"] = Parent.Namespace,
            ["labels"] = new JsonObject { [IdLabel] = Id },
            ["annotations"] = new JsonObject
            {
                [ToolingAnnotation] = "cake-k3s/v1",
                [KindsAnnotation] = string.Join(',', contents.Kinds),
                [NamespacesAnnotation] = string.Join(',', contents.Namespaces.Where(name => name != Parent.Namespace)),
            },
        },
    };

    /// <summary>What a parent object says; nothing for one that is not there.</summary>
    internal static ApplySetContents Read(JsonObject? parent)
    {
        return new(
            Split(KindsAnnotation),
            parent is null ? [] : [.. Split(NamespacesAnnotation), parent.NamespaceName() ?? ""]);

        ImmutableSortedSet<string> Split(string annotation) =>
            [.. (parent.Annotation(annotation) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];
    }
}

/// <summary>What an apply set contains.</summary>
/// <param name="Kinds">Kinds as <c>Deployment.apps</c>, or <c>ConfigMap</c> for the core group.</param>
/// <param name="Namespaces">The namespaces of its members.</param>
internal sealed record ApplySetContents(ImmutableSortedSet<string> Kinds, ImmutableSortedSet<string> Namespaces)
{
    public ApplySetContents Union(ApplySetContents other) => new(Kinds.Union(other.Kinds), Namespaces.Union(other.Namespaces));

    public bool Covers(ApplySetContents other) => Kinds.IsSupersetOf(other.Kinds) && Namespaces.IsSupersetOf(other.Namespaces);

    /// <summary>A kind as the parent names it.</summary>
    public static string NameOf(GroupVersionKind type) => type.Group.Length == 0 ? type.Kind : $"{type.Kind}.{type.Group}";
}
