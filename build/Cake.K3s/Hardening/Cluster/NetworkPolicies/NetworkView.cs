using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>What of a cluster decides on connections: its namespaces, nodes and pods.</summary>
/// <param name="Namespaces">The labels of each namespace.</param>
/// <param name="Nodes">The addresses of each node, on either network.</param>
/// <param name="Pods">The pods that run, or that manifests describe.</param>
internal sealed record NetworkView(
    ImmutableDictionary<string, ImmutableDictionary<string, string>> Namespaces,
    ImmutableDictionary<string, ImmutableArray<IPAddress>> Nodes,
    ImmutableArray<PodEnd> Pods)
{
    // Labels that tell pods of one workload apart, or its revisions.
    private static readonly string[] OwnLabels =
    [
        "pod-template-hash", "controller-revision-hash", "pod-template-generation", "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index", "controller-uid", "batch.kubernetes.io/controller-uid", "job-name", "batch.kubernetes.io/job-name",
    ];

    /// <summary>Reads a cluster.</summary>
    public static async Task<NetworkView> ReadAsync(ClusterApi api, CancellationToken cancellationToken)
    {
        var namespaces = api.ListAsync(new("", "v1", "Namespace"), null, null, cancellationToken);
        var nodes = api.ListAsync(new("", "v1", "Node"), null, null, cancellationToken);
        var pods = api.ListAsync(new("", "v1", "Pod"), null, null, cancellationToken);
        return Of((await namespaces).Items, (await nodes).Items, (await pods).Items);
    }

    /// <summary>From objects as the API gives them. Pods that have ended, or have no address yet, are left out.</summary>
    public static NetworkView Of(IEnumerable<JsonObject> namespaces, IEnumerable<JsonObject> nodes, IEnumerable<JsonObject> pods)
    {
        var known = nodes.ToImmutableDictionary(node => node.ObjectName() ?? "", AddressesOf);
        return new(
            namespaces.ToImmutableDictionary(item => item.ObjectName() ?? "", NamespaceLabels),
            known,
            [.. pods.Where(IsRunning).Select(pod => PodOf(pod, pod.NamespaceName() ?? "", known))]);
    }

    /// <summary>A pod as the template of a manifest describes it, with an address of its own.</summary>
    /// <param name="manifest">A workload.</param>
    /// <param name="namespaceName">Its namespace.</param>
    /// <param name="address">The address to give it.</param>
    /// <returns>The pod; null where the manifest has none.</returns>
    public static PodEnd? Described(JsonObject manifest, string namespaceName, IPAddress address) =>
        PodSpecs.TemplateOf(manifest) is { } template
            ? new(manifest.ObjectName() ?? "", namespaceName, LabelsOf(template), [address], PortsOf(template))
            : null;

    /// <summary>One pod of each workload: those of one namespace with the same labels are alike to every policy.</summary>
    public IEnumerable<PodEnd> Representatives() => Pods
        .GroupBy(pod => (pod.Namespace, Labels: string.Join(',', Comparable(pod).Order()), Node: pod.HostNetwork ? pod.Node : null))
        .Select(group => group.First());

    /// <summary>The labels of a pod that a policy may be about: without those that its controller gives each one or each revision.</summary>
    public static ImmutableDictionary<string, string> WorkloadLabels(PodEnd pod) => pod.Labels.RemoveRange(OwnLabels);

    /// <summary>
    /// The addresses under which others see a node: its own, and on the pods' network the first two of its range (the tunnel's and the
    /// bridge's), by which a pod on the node's network comes to pods of other nodes.
    /// </summary>
    public static ImmutableArray<IPAddress> AddressesOf(JsonObject node)
    {
        var own = node.Objects("status", "addresses")
            .Where(address => address.Text("type") is "InternalIP" or "ExternalIP")
            .Select(address => IPAddress.TryParse(address.Text("address"), out var parsed) ? parsed : null)
            .OfType<IPAddress>();
        var ranges = node.At("spec", "podCIDRs") is JsonArray { Count: > 0 } several
            ? several.Select(range => range?.ToString()).OfType<string>()
            : node.Text("spec", "podCIDR") is { } one ? [one] : [];
        return [.. own.Concat(ranges.SelectMany(FirstTwo)).Distinct()];
    }

    private static IEnumerable<IPAddress> FirstTwo(string range)
    {
        var first = Ranges.Parse(range).BaseAddress;
        var bytes = first.GetAddressBytes();
        bytes[^1]++;
        return [first, new(bytes)];
    }

    private static IEnumerable<string> Comparable(PodEnd pod) => WorkloadLabels(pod).Select(label => $"{label.Key}={label.Value}");

    private static bool IsRunning(JsonObject pod) => pod.Text("status", "phase") is not ("Succeeded" or "Failed") && pod.Text("status", "podIP") is { Length: > 0 };

    private static PodEnd PodOf(JsonObject pod, string ns, ImmutableDictionary<string, ImmutableArray<IPAddress>> nodes)
    {
        var node = pod.Text("spec", "nodeName");
        var onHost = pod.Flag("spec", "hostNetwork") == true;
        var own = pod.Objects("status", "podIPs").Select(address => address.Text("ip")).Append(pod.Text("status", "podIP")).OfType<string>()
            .Distinct().Select(IPAddress.Parse);
        return new(
            pod.Label("app.kubernetes.io/name") ?? pod.Label("app") ?? pod.Label("k8s-app") ?? pod.ObjectName() ?? "",
            ns,
            LabelsOf(pod),
            onHost && node is not null && nodes.TryGetValue(node, out var addresses) ? addresses : [.. own],
            PortsOf(pod),
            node,
            onHost);
    }

    private static ImmutableDictionary<string, string> LabelsOf(JsonObject node) => node.Texts("metadata", "labels").ToImmutableDictionary();

    private static ImmutableDictionary<string, string> NamespaceLabels(JsonObject item) =>
        LabelsOf(item).SetItem("kubernetes.io/metadata.name", item.ObjectName() ?? "");

    private static ImmutableArray<NamedPort> PortsOf(JsonObject pod) =>
    [
        .. from container in pod.Objects("spec", "containers")
               .Concat(pod.Objects("spec", "initContainers").Where(container => container.Text("restartPolicy") == "Always"))
           from port in container.Objects("ports")
           where port.Number("containerPort") is not null
           select new NamedPort(port.Text("name"), (int)port.Number("containerPort")!.Value, port.Text("protocol") ?? "TCP"),
    ];
}
