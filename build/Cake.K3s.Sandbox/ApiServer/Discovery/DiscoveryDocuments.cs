using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Discovery;

/// <summary>What the server tells of its resources: the old documents, a group at a time, and the aggregated ones that kubectl asks for.</summary>
internal sealed class DiscoveryDocuments
{
    private readonly ConditionalWeakTable<ResourceCatalog.Snapshot, ConcurrentDictionary<string, byte[]?>> _made = [];

    /// <summary>The document at a path, such as <c>/apis/apps/v1</c>; null when there is none.</summary>
    /// <param name="catalog">What is served.</param>
    /// <param name="path">The path without a slash at its end.</param>
    /// <param name="aggregated">The version of the aggregated form that the client asked for, <c>v2</c> or <c>v2beta1</c>; null when it did not.</param>
    public byte[]? Find(ResourceCatalog.Snapshot catalog, string path, string? aggregated)
        => _made.GetOrCreateValue(catalog).GetOrAdd($"{path} {aggregated}", _ => Make(catalog, path.Trim('/').Split('/'), aggregated) is { } made ? JsonBody.Write(made) : null);

    private static JsonObject? Make(ResourceCatalog.Snapshot catalog, string[] segments, string? aggregated) => segments switch
    {
        ["api"] when aggregated is not null => Aggregated(catalog.Groups.Where(group => group.Name.Length == 0), aggregated),
        ["apis"] when aggregated is not null => Aggregated(catalog.Groups.Where(group => group.Name.Length > 0), aggregated),
        ["api"] => new JsonObject
        {
            ["kind"] = "APIVersions",
            ["versions"] = new JsonArray("v1"),
            ["serverAddressByClientCIDRs"] = new JsonArray(new JsonObject { ["clientCIDR"] = "0.0.0.0/0", ["serverAddress"] = "" }),
        },
        ["apis"] => new JsonObject
        {
            ["kind"] = "APIGroupList",
            ["apiVersion"] = "v1",
            ["groups"] = new JsonArray([.. catalog.Groups.Where(group => group.Name.Length > 0).Select(Group)]),
        },
        ["api", var version] => Resources(catalog, new GroupVersion("", version)),
        ["apis", var name] => catalog.Groups.FirstOrDefault(group => group.Name == name && name.Length > 0) is { } group ? Alone(Group(group)) : null,
        ["apis", var name, var version] => Resources(catalog, new GroupVersion(name, version)),
        _ => null,
    };

    private static JsonObject Alone(JsonObject group)
    {
        group.Insert(0, "kind", "APIGroup");
        group.Insert(1, "apiVersion", "v1");
        return group;
    }

    private static JsonObject Group(ApiGroup group)
    {
        static JsonObject Version(GroupVersion version) => new() { ["groupVersion"] = version.ToString(), ["version"] = version.Version };
        return new JsonObject
        {
            ["name"] = group.Name,
            ["versions"] = new JsonArray([.. group.Versions.Select(version => Version(version.Version))]),
            ["preferredVersion"] = Version(group.Versions[0].Version),
        };
    }

    private static JsonObject? Resources(ResourceCatalog.Snapshot catalog, GroupVersion version)
    {
        var found = catalog.Groups.FirstOrDefault(group => group.Name == version.Group)?.Versions.FirstOrDefault(one => one.Version == version);
        return found is null ? null : new JsonObject
        {
            ["kind"] = "APIResourceList",
            ["apiVersion"] = "v1",
            ["groupVersion"] = version.ToString(),
            ["resources"] = new JsonArray([.. found.Resources.SelectMany(Entries)]),
        };
    }

    private static IEnumerable<JsonNode> Entries(ResourceDefinition resource)
    {
        var entry = new JsonObject
        {
            ["name"] = resource.Plural,
            ["singularName"] = resource.Singular,
            ["namespaced"] = resource.Namespaced,
            ["kind"] = resource.Kind,
            ["verbs"] = Texts(resource.Verbs),
        };
        AddIfAny(entry, "shortNames", resource.ShortNames);
        AddIfAny(entry, "categories", resource.Categories);
        yield return entry;
        foreach (var sub in resource.Subresources)
        {
            var child = new JsonObject { ["name"] = $"{resource.Plural}/{sub.Name}", ["singularName"] = "", ["namespaced"] = resource.Namespaced };
            if (sub.KindVersion is { } version)
            {
                child["group"] = version.Group;
                child["version"] = version.Version;
            }

            child["kind"] = sub.Kind;
            child["verbs"] = Texts(sub.Verbs);
            yield return child;
        }
    }

    private static JsonObject Aggregated(IEnumerable<ApiGroup> groups, string version) => new()
    {
        ["kind"] = "APIGroupDiscoveryList",
        ["apiVersion"] = "apidiscovery.k8s.io/" + version,
        ["metadata"] = new JsonObject(),
        ["items"] = new JsonArray([.. groups.Select(group => new JsonObject
        {
            ["metadata"] = group.Name.Length == 0 ? new JsonObject() : new JsonObject { ["name"] = group.Name },
            ["versions"] = new JsonArray([.. group.Versions.Select(one => new JsonObject
            {
                ["version"] = one.Version.Version,
                ["resources"] = new JsonArray([.. one.Resources.Select(Aggregated)]),
                ["freshness"] = "Current",
            })]),
        })]),
    };

    private static JsonObject Aggregated(ResourceDefinition resource)
    {
        var entry = new JsonObject
        {
            ["resource"] = resource.Plural,
            ["responseKind"] = Kind(resource.Version, resource.Kind),
            ["scope"] = resource.Namespaced ? "Namespaced" : "Cluster",
            ["singularResource"] = resource.Singular,
            ["verbs"] = Texts(resource.Verbs),
        };
        AddIfAny(entry, "shortNames", resource.ShortNames);
        AddIfAny(entry, "categories", resource.Categories);
        if (resource.Subresources.Count > 0)
        {
            entry["subresources"] = new JsonArray([.. resource.Subresources.Select(sub => new JsonObject
            {
                ["subresource"] = sub.Name,
                ["responseKind"] = Kind(sub.KindVersion ?? resource.Version, sub.Kind),
                ["verbs"] = Texts(sub.Verbs),
            })]);
        }

        return entry;
    }

    private static JsonObject Kind(GroupVersion version, string kind)
        => new() { ["group"] = version.Group, ["version"] = version.Version, ["kind"] = kind };

    private static void AddIfAny(JsonObject entry, string field, IReadOnlyList<string> values)
    {
        if (values.Count > 0)
        {
            entry[field] = Texts(values);
        }
    }

    private static JsonArray Texts(IEnumerable<string> values) => [.. values.Select(value => (JsonNode)value)];
}
