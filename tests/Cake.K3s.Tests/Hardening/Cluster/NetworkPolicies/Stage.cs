using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using Cake.K3s.Tests.Kubernetes;

namespace Cake.K3s.Tests.Hardening.Cluster.NetworkPolicies;

/// <summary>A small cluster to try policies on: two nodes, three namespaces, and the usual ends of connections.</summary>
internal static class Stage
{
    public static readonly ImmutableDictionary<string, ImmutableDictionary<string, string>> Namespaces = new Dictionary<string, ImmutableDictionary<string, string>>
    {
        ["shop"] = Labels("kubernetes.io/metadata.name=shop,team=shop,stage=live"),
        ["other"] = Labels("kubernetes.io/metadata.name=other,team=other"),
        ["kube-system"] = Labels("kubernetes.io/metadata.name=kube-system"),
    }.ToImmutableDictionary();

    public static readonly ImmutableDictionary<string, ImmutableArray<IPAddress>> Nodes = new Dictionary<string, ImmutableArray<IPAddress>>
    {
        ["n1"] = [.. Addresses("203.0.113.11", "10.42.0.0", "10.42.0.1")],
        ["n2"] = [.. Addresses("203.0.113.12", "10.42.1.0", "10.42.1.1")],
    }.ToImmutableDictionary();

    private static readonly Dictionary<string, NetworkEnd> Ends = new NetworkEnd[]
    {
        Pod("api", "shop", "app=api,tier=back", "10.42.0.5", "n1", new("http", 8000), new("metrics", 9100), new("gossip", 8000, "UDP")),
        Pod("admin", "shop", "app=admin,tier=front", "10.42.1.6", "n2", new NamedPort("http", 3000)),
        Pod("worker", "shop", "app=worker,tier=back", "10.42.1.7", "n2"),
        Pod("redis", "shop", "app=redis", "10.42.1.8", "n2", new NamedPort("redis", 6379)),
        Pod("bare", "shop", "", "10.42.0.9", "n1"),
        Pod("stranger", "other", "app=api", "10.42.0.20", "n1", new NamedPort("http", 8000)),
        Pod("dns", "kube-system", "k8s-app=kube-dns", "10.42.1.2", "n2", new("dns", 53, "UDP"), new("dns-tcp", 53)),
        new PodEnd("traefik1", "kube-system", Labels("app=traefik"), Nodes["n1"], [new("web", 80)], "n1", HostNetwork: true),
        new PodEnd("traefik2", "kube-system", Labels("app=traefik"), Nodes["n2"], [new("web", 80)], "n2", HostNetwork: true),
        new AddressEnd("n1", [IPAddress.Parse("203.0.113.11")]),
        new AddressEnd("n2", [IPAddress.Parse("203.0.113.12")]),
        new AddressEnd("internet", [IPAddress.Parse("198.51.100.7")]),
        new AddressEnd("internet6", [IPAddress.Parse("2001:db8::7")]),
        new AddressEnd("postgres", [IPAddress.Parse("192.0.2.9")]),
    }.ToDictionary(end => end.Name);

    public static IEnumerable<NetworkEnd> All => Ends.Values;

    public static NetworkEnd End(string name) => Ends[name];

    /// <summary>A connection as <c>from &gt; to:port[/UDP]</c>.</summary>
    public static Flow Flow(string text)
    {
        var parts = text.Split([" > ", ":", "/"], StringSplitOptions.None);
        return new(End(parts[0]), End(parts[1]), int.Parse(parts[2], null), parts.Length > 3 ? parts[3] : "TCP");
    }

    /// <summary>A policy in namespace shop, from its spec in YAML.</summary>
    public static JsonObject Policy(string spec, string name = "p", string ns = "shop")
    {
        var node = Yaml.Object($"apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {{name: {name}, namespace: {ns}}}\n");
        node["spec"] = Yaml.Object(spec);
        return node;
    }

    public static FlowEvaluator Evaluator(params IEnumerable<JsonObject> policies) => new(policies, Namespaces, Nodes);

    public static ImmutableDictionary<string, string> Labels(string text) =>
        text.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToImmutableDictionary(pair => pair[0], pair => pair[1]);

    private static PodEnd Pod(string name, string ns, string labels, string address, string node, params NamedPort[] ports) =>
        new(name, ns, Labels(labels), [IPAddress.Parse(address)], [.. ports], node);

    private static IEnumerable<IPAddress> Addresses(params string[] texts) => texts.Select(IPAddress.Parse);
}
