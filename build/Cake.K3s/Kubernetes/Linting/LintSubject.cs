using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>The app's manifests as rules look at them: who selects whom, and who names whom.</summary>
internal sealed class LintSubject
{
    public LintSubject(IEnumerable<Manifest> manifests, string namespaceName)
    {
        Namespace = namespaceName;
        Manifests = [.. manifests];
        Workloads = [.. Manifests.Select(Workload.Of).OfType<Workload>()];
    }

    /// <summary>The namespace of objects that name none.</summary>
    public string Namespace { get; }

    public ImmutableArray<Manifest> Manifests { get; }

    /// <summary>What makes pods.</summary>
    public ImmutableArray<Workload> Workloads { get; }

    public IEnumerable<Manifest> OfKind(string group, string kind) =>
        Manifests.Where(manifest => manifest.Key.Type.Group == group && manifest.Key.Type.Kind == kind);

    public string NamespaceOf(Manifest manifest) => manifest.Key.Namespace ?? Namespace;

    /// <summary>An object of the core group by name, in the namespace of another.</summary>
    public Manifest? Find(string kind, string name, Manifest near) =>
        OfKind("", kind).FirstOrDefault(manifest => manifest.Key.Name == name && NamespaceOf(manifest) == NamespaceOf(near));

    /// <summary>The workloads whose pods carry all labels of a selector, in the namespace of who selects.</summary>
    public IEnumerable<Workload> Selected(Manifest by, IReadOnlyCollection<KeyValuePair<string, string>> labels) => labels.Count == 0
        ? []
        : Workloads.Where(workload => NamespaceOf(workload.Manifest) == NamespaceOf(by)
            && labels.All(label => workload.Template.Label(label.Key) == label.Value));

    /// <summary>The Services that lead to a workload.</summary>
    public IEnumerable<Manifest> ServicesOf(Workload workload) => OfKind("", "Service")
        .Where(service => Selected(service, [.. service.Node.Texts("spec", "selector")]).Contains(workload));
}

/// <summary>Something that makes pods.</summary>
/// <param name="Manifest">The object.</param>
/// <param name="Template">Its pod template.</param>
internal sealed record Workload(Manifest Manifest, JsonObject Template)
{
    public string Kind => Manifest.Key.Type.Kind;

    public JsonObject? PodSpec => Template["spec"] as JsonObject;

    /// <summary>How many pods there are at a time; null where their number is not fixed.</summary>
    public long? Replicas => Kind is "Deployment" or "StatefulSet" or "ReplicaSet" ? Manifest.Node.Number("spec", "replicas") ?? 1 : Kind == "Pod" ? 1 : null;

    /// <summary>Whether its pods are meant to stay.</summary>
    public bool IsLasting => Kind is "Deployment" or "StatefulSet" or "DaemonSet" or "ReplicaSet";

    public IEnumerable<JsonObject> Containers => PodSpec.Objects("containers");

    public IEnumerable<JsonObject> AllContainers => PodSpecs.Containers(PodSpec);

    public static Workload? Of(Manifest manifest) =>
        PodSpecs.TemplateOf(manifest.Node) is { } template ? new(manifest, template) : null;
}
