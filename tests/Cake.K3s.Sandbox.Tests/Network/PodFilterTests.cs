using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using Cake.K3s.Sandbox.Network.Policies;
using CsCheck;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Network;

public sealed class PodFilterTests
{
    private static readonly string[] Specs =
    [
        """{"podSelector": {}}""",
        """{"podSelector": {}, "policyTypes": ["Egress"]}""",
        """{"podSelector": {"matchLabels": {"app": "api"}}, "ingress": [{"from": [{"podSelector": {}}], "ports": [{"port": "http"}]}]}""",
        """{"podSelector": {}, "ingress": [{"ports": [{"port": "http"}]}]}""",
        """{"podSelector": {}, "policyTypes": ["Egress"], "egress": [{"ports": [{"port": "http"}]}]}""",
        """{"podSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["api", "redis"]}]}, "ingress": [{"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}]}""",
        """{"podSelector": {}, "ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/24", "except": ["10.0.0.2/32", "10.0.0.8/29"]}}]}]}""",
        """{"podSelector": {"matchLabels": {"app": "api"}}, "policyTypes": ["Egress"], "egress": [{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.3/32"]}}], "ports": [{"port": 6000, "endPort": 7000}]}]}""",
        """{"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "api"}}, "namespaceSelector": {}}]}], "egress": [{}]}""",
    ];

    private static readonly ImmutableArray<(V1Pod Pod, IPAddress Address)> Pods =
    [
        Pod("api", "a", "10.0.0.1", 8000), Pod("redis", "a", "10.0.0.2", 6379), Pod("", "a", "10.0.0.3", 80),
        Pod("api", "b", "10.0.0.9", 8080), Pod("redis", "b", "10.0.0.10", 6379),
    ];

    private static readonly V1Namespace[] Namespaces =
    [
        new() { Metadata = new V1ObjectMeta { Name = "a", Labels = new Dictionary<string, string> { ["team"] = "a" } } },
        new() { Metadata = new V1ObjectMeta { Name = "b", Labels = new Dictionary<string, string> { ["team"] = "b" } } },
    ];

    private static readonly Gen<JsonObject> AnyPolicy = Gen.Select(
        Gen.Int[0, Specs.Length - 1], Gen.Bool, Gen.Int[0, 99], (spec, first, number) => JsonNode.Parse($$"""
            {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "p{{number}}", "namespace": "{{(first ? "a" : "b")}}"}, "spec": {{Specs[spec]}} }
            """)!.AsObject());

    [Test]
    public void Should_AgreeWithTheEvaluator_When_PoliciesAreAny() => Gen.Select(
        AnyPolicy.List[0, 5], Gen.Int[0, Pods.Length - 1], Gen.Int[0, Pods.Length - 1], Gen.Int[0, 4], Gen.Bool).Sample((policies, from, to, port, udp) =>
        {
            var (number, protocol) = (((int[])[80, 6379, 6500, 8000, 8080])[port], udp ? "UDP" : "TCP");
            var evaluator = new FlowEvaluator(
                policies,
                Namespaces.ToImmutableDictionary(ns => ns.Metadata.Name, ns => ns.Metadata.Labels.ToImmutableDictionary().Add("kubernetes.io/metadata.name", ns.Metadata.Name)),
                ImmutableDictionary<string, ImmutableArray<IPAddress>>.Empty);
            var objects = new PolicyObjects([.. policies.Select(policy => KubernetesJson.Deserialize<V1NetworkPolicy>(policy.ToJsonString()))], Pods, Namespaces);
            var filtered = from == to
                || (PodFilter.Allows(PodFilter.Of(Pods[from].Pod, objects).Egress, Pods[to].Address, protocol, number)
                    && PodFilter.Allows(PodFilter.Of(Pods[to].Pod, objects).Ingress, Pods[from].Address, protocol, number));
            return evaluator.Evaluate(new(End(from), End(to), number, protocol)).IsAllowed == filtered;
        });

    [Test]
    public void Should_LeaveOutTheExceptions_When_ARangeHasSome()
    {
        var left = AddressRange.Without(AddressRange.Parse("10.0.0.0/29"), [AddressRange.Parse("10.0.0.2/32"), AddressRange.Parse("10.0.0.4/30")]);

        Assert.That(left.Select(range => range.ToString()), Is.EqualTo(["10.0.0.0/31", "10.0.0.3/32"]));
    }

    [Test]
    public void Should_DropEverythingElse_When_ADirectionIsLimited()
    {
        var policy = KubernetesJson.Deserialize<V1NetworkPolicy>("""
            {"metadata": {"name": "p", "namespace": "a"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"],
             "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "redis"}}}], "ports": [{"port": "http"}]}]}}
            """);

        var text = PodFilter.Of(Pods[0].Pod, new([policy], Pods, Namespaces)).Text(IPAddress.Parse("10.0.0.254"), IPNetwork.Parse("10.43.0.0/16"), IPAddress.Parse("10.43.0.10"));

        Assert.That(text, Does.Contain(":INPUT DROP").And.Contain(":OUTPUT ACCEPT").And.Contain("-A INPUT -s 10.0.0.2/32 -p tcp --dport 8000:8000 -j ACCEPT\n").And.Not.Contain("OUTPUT -d"));
    }

    private static (V1Pod, IPAddress) Pod(string app, string ns, string address, int port) => (
        new V1Pod
        {
            Metadata = new V1ObjectMeta { Name = address, NamespaceProperty = ns, Labels = app.Length == 0 ? null : new Dictionary<string, string> { ["app"] = app } },
            Spec = new V1PodSpec { Containers = [new V1Container { Name = "main", Ports = [new V1ContainerPort { Name = "http", ContainerPort = port }] }] },
        },
        IPAddress.Parse(address));

    private static PodEnd End(int index)
    {
        var (pod, address) = Pods[index];
        return new(
            pod.Metadata.Name,
            pod.Metadata.NamespaceProperty,
            pod.Metadata.Labels?.ToImmutableDictionary() ?? ImmutableDictionary<string, string>.Empty,
            [address],
            [.. pod.Spec.Containers[0].Ports.Select(port => new NamedPort(port.Name, port.ContainerPort))]);
    }
}
