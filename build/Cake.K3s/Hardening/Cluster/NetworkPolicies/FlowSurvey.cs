using System.Collections.Immutable;
using System.Net;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>Who may try connections to what in the app's namespace: the rows and columns of the flows matrix.</summary>
/// <param name="View">The cluster.</param>
/// <param name="Namespace">The app's namespace.</param>
/// <param name="Sources">Who opens connections.</param>
/// <param name="Targets">What to.</param>
internal sealed record FlowSurvey(NetworkView View, string Namespace, ImmutableArray<NetworkEnd> Sources, ImmutableArray<FlowTarget> Targets)
{
    /// <summary>The name of the source that stands for the pods of all other namespaces.</summary>
    public const string Stranger = "another namespace";

    // TEST-NET-2 of RFC 5737: nobody.
    private static readonly AddressEnd Internet = new("internet", [IPAddress.Parse("198.51.100.1")]);

    /// <summary>Finds them in a cluster.</summary>
    /// <param name="view">The cluster.</param>
    /// <param name="ns">The app's namespace.</param>
    /// <param name="outside">The servers outside of the cluster.</param>
    /// <param name="dns">The address of the cluster's DNS, for a cluster where it is no pod; null for none.</param>
    public static FlowSurvey Of(NetworkView view, string ns, IEnumerable<FlowTarget> outside, IPAddress? dns)
    {
        var all = view.Representatives().ToList();
        var own = all.Where(pod => pod.Namespace == ns && !pod.Labels.ContainsKey(ProbeJob.Label)).ToList();
        var traefik = all.Where(pod => pod.Namespace != ns && pod.Labels.GetValueOrDefault("app.kubernetes.io/name") == "traefik")
            .Select(pod => pod.HostNetwork ? pod with { Name = $"traefik on {pod.Node}" } : pod);
        var stranger = new PodEnd(Stranger, "default", Ranges.NoLabels, [], []);
        IEnumerable<NetworkEnd> sources = [.. own, .. traefik, .. view.Nodes.Select(node => new AddressEnd($"node {node.Key}", node.Value)), stranger, Internet];

        var names = all.Where(pod => pod.Namespace == "kube-system" && pod.Labels.GetValueOrDefault("k8s-app") == "kube-dns").Select(pod => pod with { Name = "dns" }).ToList();
        if (names.Count == 0 && dns is not null)
        {
            names.Add(new("dns", "kube-system", Ranges.NoLabels.Add("k8s-app", "kube-dns"), [dns], []));
        }

        return new(
            view,
            ns,
            [.. sources],
            [
                .. own.SelectMany(pod => pod.Ports.Select(port => new FlowTarget(pod, port.Number, port.Protocol))),
                .. names.Select(pod => new FlowTarget(pod, 53, "UDP")),
                .. outside,
            ]);
    }

    /// <summary>Reads a cluster.</summary>
    public static async Task<FlowSurvey> ReadAsync(ClusterApi api, IEnumerable<FlowTarget> outside, CancellationToken cancellationToken)
    {
        var service = await api.GetAsync(new(new("", "v1", "Service"), "kube-system", "kube-dns"), cancellationToken);
        var dns = IPAddress.TryParse(service.Text("spec", "clusterIP"), out var address) ? address : null;
        return Of(await NetworkView.ReadAsync(api, cancellationToken), api.Namespace, outside, dns);
    }

    /// <summary>What policies let through, of connections that one end in the app's namespace has.</summary>
    public FlowMatrix Matrix(FlowEvaluator evaluator) =>
        new([.. FlowMatrix.Of(evaluator, Sources, Targets).Flows.Where(item => IsOwn(item.Flow.From) || IsOwn(item.Flow.To))]);

    private bool IsOwn(NetworkEnd end) => end is PodEnd { HostNetwork: false } pod && pod.Namespace == Namespace;
}
