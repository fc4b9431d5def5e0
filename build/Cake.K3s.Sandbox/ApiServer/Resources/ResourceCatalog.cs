using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Cake.K3s.Sandbox.ApiServer.Resources;

/// <summary>Every resource that is served now: the built-in ones, and those that CustomResourceDefinitions add.</summary>
internal sealed class ResourceCatalog
{
    /// <summary>The order of groups in discovery decides which one kubectl takes for a bare name, such as <c>events</c>.</summary>
    private static readonly ImmutableArray<string> GroupOrder =
    [
        "", "apiregistration.k8s.io", "apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io", "autoscaling", "batch",
        "certificates.k8s.io", "networking.k8s.io", "policy", "rbac.authorization.k8s.io", "storage.k8s.io", "admissionregistration.k8s.io",
        "apiextensions.k8s.io", "scheduling.k8s.io", "coordination.k8s.io", "node.k8s.io", "discovery.k8s.io", "resource.k8s.io",
        "flowcontrol.apiserver.k8s.io",
    ];

    private readonly ImmutableArray<ResourceDefinition> _builtIn = [.. BuiltInResources.Create()];
    private readonly Lock _changing = new();
    private ImmutableSortedDictionary<string, ImmutableArray<ResourceDefinition>> _custom
        = ImmutableSortedDictionary.Create<string, ImmutableArray<ResourceDefinition>>(StringComparer.Ordinal);
    private volatile Snapshot _current;

    public ResourceCatalog() => _current = new Snapshot(_builtIn);

    /// <summary>What is served at this moment; a change makes a new one.</summary>
    public Snapshot Current => _current;

    /// <summary>Serves the versions of a CustomResourceDefinition, or no longer, when there are none.</summary>
    public void SetCustom(string definitionName, IReadOnlyList<ResourceDefinition> versions)
    {
        lock (_changing)
        {
            _custom = versions.Count == 0 ? _custom.Remove(definitionName) : _custom.SetItem(definitionName, [.. versions]);
            _current = new Snapshot([.. _builtIn, .. _custom.Values.SelectMany(list => list)]);
        }
    }

    /// <summary>An immutable view of the catalog.</summary>
    internal sealed class Snapshot
    {
        private readonly FrozenDictionary<(GroupVersion, string), ResourceDefinition> _byPlural;
        private readonly Dictionary<string, ResourceDefinition> _byStorageName = new(StringComparer.Ordinal);

        public Snapshot(ImmutableArray<ResourceDefinition> all)
        {
            All = all;
            _byPlural = all.ToFrozenDictionary(definition => (definition.Version, definition.Plural));
            foreach (var definition in all.Where(definition => definition.Verbs.Contains("list")))
            {
                // A storage version that is no longer served still has objects: any other version of it does.
                if (definition.Version == definition.StorageVersion || !_byStorageName.ContainsKey(definition.StorageName))
                {
                    _byStorageName[definition.StorageName] = definition;
                }
            }

            Groups =
            [
                .. all.GroupBy(definition => definition.Version.Group)
                    .OrderBy(group => GroupOrder.IndexOf(group.Key) is var at && at < 0 ? int.MaxValue : at)
                    .ThenBy(group => group.Key, StringComparer.Ordinal)
                    .Select(group => new ApiGroup(group.Key,
                    [
                        .. group.GroupBy(definition => definition.Version)
                            .OrderByDescending(version => version.Key.Version, VersionPriority.Comparer)
                            .Select(version => new ApiGroupVersion(version.Key, [.. version.OrderBy(definition => definition.Plural, StringComparer.Ordinal)])),
                    ])),
            ];
        }

        public ImmutableArray<ResourceDefinition> All { get; }

        public ImmutableArray<ApiGroup> Groups { get; }

        public ResourceDefinition? Find(GroupVersion version, string plural) => _byPlural.GetValueOrDefault((version, plural));

        public ResourceDefinition? FindKind(GroupVersion version, string kind)
            => All.FirstOrDefault(definition => definition.Version == version && definition.Kind == kind);

        /// <summary>The resource whose objects are kept under a name such as <c>deployments.apps</c>.</summary>
        public ResourceDefinition? FindStored(string storageName) => _byStorageName.GetValueOrDefault(storageName);

        /// <summary>One definition for each set of objects: the storage version of the resource.</summary>
        public IEnumerable<ResourceDefinition> Stored => _byStorageName.Values;
    }
}

internal sealed record ApiGroup(string Name, ImmutableArray<ApiGroupVersion> Versions);

internal sealed record ApiGroupVersion(GroupVersion Version, ImmutableArray<ResourceDefinition> Resources);
