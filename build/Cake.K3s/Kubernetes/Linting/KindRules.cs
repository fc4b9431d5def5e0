using System.Reflection;
using Cake.K3s.Kubernetes.Api;
using Cake.Shared;
using k8s.Models;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>
/// Rules about the types of objects. Which ones the API has in its own groups is known from KubernetesClient's models; what is in
/// other groups is for the cluster to know.
/// </summary>
internal static class KindRules
{
    private static readonly Assembly Models = typeof(V1Pod).Assembly;

    private static readonly Lazy<HashSet<GroupVersionKind>> All = new(() =>
    [
        .. from type in Models.GetTypes()
           let entity = type.GetCustomAttribute<KubernetesEntityAttribute>()
           where entity is not null
           select new GroupVersionKind(entity.Group, entity.ApiVersion, entity.Kind),
    ]);

    public static readonly LintRule UnknownKind = new(
        "K3S020",
        "unknown-kind",
        LintSeverity.Error,
        "The API refuses an object of a kind that it does not know.",
        "Correct apiVersion and kind; suppress the rule where the cluster is newer than this program.");

    public static IEnumerable<LintFinding> Check(LintSubject subject) =>
        from manifest in subject.Manifests
        let type = manifest.Key.Type
        where !HasModel(type) && All.Value.Any(known => known.Group == type.Group) && !All.Value.Contains(type)
        let versions = All.Value.Where(known => known.Kind == type.Kind).Select(known => known.ApiVersion).Order(StringComparer.Ordinal).ToList()
        select versions.Count == 0
            ? UnknownKind.Found(manifest, manifest.Node["kind"], $"the API knows no kind {type.Kind}{Suggestion(type)}")
            : UnknownKind.Found(manifest, manifest.Node["apiVersion"], $"the API knows no {type.Kind} in {type.ApiVersion}; it is in {string.Join(", ", versions)}");

    /// <summary>Almost every kind has a model of its name: a look at that spares the search through all of them.</summary>
    private static bool HasModel(GroupVersionKind type) =>
        type.Version.Length > 0
        && Models.GetType($"{typeof(V1Pod).Namespace}.{char.ToUpperInvariant(type.Version[0])}{type.Version[1..]}{type.Kind}")?.GetCustomAttribute<KubernetesEntityAttribute>()
            is { } entity && new GroupVersionKind(entity.Group, entity.ApiVersion, entity.Kind) == type;

    private static string Suggestion(GroupVersionKind type) =>
        NearestName.Find(type.Kind, All.Value.Select(known => known.Kind).Distinct()) is { } near ? $"; did you mean {near}?" : "";
}
