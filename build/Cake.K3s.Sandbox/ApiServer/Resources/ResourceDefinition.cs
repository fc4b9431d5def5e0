using Cake.K3s.Sandbox.ApiServer.Schemas;

namespace Cake.K3s.Sandbox.ApiServer.Resources;

/// <summary>One resource in one API version, as discovery tells of it.</summary>
internal sealed class ResourceDefinition(GroupVersion version, string plural, string kind, bool namespaced, Func<Schema> schema)
{
    private readonly Lazy<Schema> _schema = new(schema);

    public GroupVersion Version { get; } = version;
    public string Plural { get; } = plural;
    public string Kind { get; } = kind;
    public bool Namespaced { get; } = namespaced;
    public string Singular { get; init; } = kind.ToLowerInvariant();
    public string ListKind { get; init; } = kind + "List";
    public IReadOnlyList<string> ShortNames { get; init; } = [];
    public IReadOnlyList<string> Categories { get; init; } = [];
    public IReadOnlyList<string> Verbs { get; init; } = ResourceVerbs.All;
    public IReadOnlyList<Subresource> Subresources { get; init; } = [];

    /// <summary>The resource whose objects this one is a view of, as <c>plural.group</c>: the same in every version.</summary>
    public string StorageName { get; init; } = version.Group.Length == 0 ? plural : $"{plural}.{version.Group}";

    /// <summary>The version that objects are kept in.</summary>
    public GroupVersion StorageVersion { get; init; } = version;

    /// <summary>The columns of <c>kubectl get</c> that a CustomResourceDefinition asks for; null for a built-in kind.</summary>
    public CustomResource? Custom { get; init; }

    /// <summary>The shape of its objects. Made when first asked for.</summary>
    public Schema Schema => _schema.Value;

    public bool HasStatus => HasSubresource("status");

    public bool IsCustom => Custom is not null;

    public bool HasSubresource(string name) => Subresources.Any(sub => sub.Name == name);

    /// <summary>As error messages write it: <c>deployments.apps</c>, or <c>pods</c> for the core group.</summary>
    public string QualifiedName => Version.Group.Length == 0 ? Plural : $"{Plural}.{Version.Group}";
}

/// <summary>A path under an object.</summary>
internal sealed record Subresource(string Name, string Kind, IReadOnlyList<string> Verbs, GroupVersion? KindVersion = null);

internal static class ResourceVerbs
{
    public static IReadOnlyList<string> All { get; } =
        ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];

    public static IReadOnlyList<string> Create { get; } = ["create"];

    public static IReadOnlyList<string> GetPatchUpdate { get; } = ["get", "patch", "update"];
}
