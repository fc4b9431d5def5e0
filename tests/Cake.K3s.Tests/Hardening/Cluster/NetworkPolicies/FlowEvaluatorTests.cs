using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using CsCheck;
using static Cake.K3s.Tests.Hardening.Cluster.NetworkPolicies.Stage;

namespace Cake.K3s.Tests.Hardening.Cluster.NetworkPolicies;

public sealed class FlowEvaluatorTests
{
    // No policy at all.
    [TestCase("", "stranger > api:8000", true, TestName = "A pod that no policy selects takes every connection")]
    [TestCase("", "internet > admin:3000", true, TestName = "A pod that no policy selects is open to the internet")]

    // Default deny, and empty selectors.
    [TestCase("{podSelector: {}}", "admin > api:8000", false, TestName = "An empty podSelector selects every pod of the namespace; no rule lets nobody in")]
    [TestCase("{podSelector: {}}", "api > stranger:8000", true, TestName = "A policy is about the pods of its own namespace alone")]
    [TestCase("{podSelector: {}}", "api > postgres:5432", true, TestName = "Without policyTypes and egress, only what comes in is limited")]
    [TestCase("{podSelector: {}}", "api > api:8000", true, TestName = "A pod always reaches itself")]
    [TestCase("{podSelector: {}, ingress: []}", "admin > api:8000", false, TestName = "An empty list of rules allows nothing")]
    [TestCase("{podSelector: {}, ingress: [{}]}", "internet > api:9999", true, TestName = "An empty rule allows everything")]
    [TestCase("{podSelector: {}, ingress: [{from: []}]}", "stranger > api:8000", true, TestName = "An empty list of peers names everybody")]
    [TestCase("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", "admin > api:8000", true, TestName = "An empty peer selector names every pod of the policy's namespace")]
    [TestCase("{podSelector: {}, ingress: [{from: [{podSelector: {}}]}]}", "stranger > api:8000", false, TestName = "An empty peer selector names no pod of another namespace")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}", "stranger > api:8000", true, TestName = "An empty namespaceSelector names every pod of every namespace")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}]}", "internet > api:8000", false, TestName = "An empty namespaceSelector names nobody outside of the cluster")]

    // Which pods a policy is about.
    [TestCase("{podSelector: {matchLabels: {app: redis}}}", "admin > api:8000", true, TestName = "A pod with other labels is not selected")]
    [TestCase("{podSelector: {matchLabels: {app: redis}}}", "api > redis:6379", false, TestName = "A pod with the labels is selected")]
    [TestCase("{podSelector: {matchLabels: {app: api, tier: front}}}", "admin > api:8000", true, TestName = "All labels must match")]
    [TestCase("{podSelector: {matchExpressions: [{key: app, operator: In, values: [api, redis]}]}}", "admin > api:8000", false, TestName = "In: one of the values")]
    [TestCase("{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [api]}]}}", "admin > bare:80", false, TestName = "NotIn: also without the label")]
    [TestCase("{podSelector: {matchExpressions: [{key: app, operator: NotIn, values: [api]}]}}", "admin > api:8000", true, TestName = "NotIn: not one of the values")]
    [TestCase("{podSelector: {matchExpressions: [{key: tier, operator: Exists}]}}", "api > redis:6379", true, TestName = "Exists: not without the label")]
    [TestCase("{podSelector: {matchExpressions: [{key: tier, operator: DoesNotExist}]}}", "api > redis:6379", false, TestName = "DoesNotExist: without the label")]

    // Peers by namespace and pod.
    [TestCase("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]}", "stranger > redis:6379", false, TestName = "A podSelector alone stays in the policy's namespace, whatever labels others have")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: other}}}]}]}", "stranger > redis:6379", true, TestName = "A namespaceSelector names pods by the labels of their namespace")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: other}}}]}]}", "api > redis:6379", false, TestName = "A namespaceSelector that is not the policy's own leaves its namespace out")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: other}}, podSelector: {matchLabels: {app: api}}}]}]}", "stranger > redis:6379", true, TestName = "Both selectors in one peer: both must match, and they do")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: other}}, podSelector: {matchLabels: {app: admin}}}]}]}", "stranger > redis:6379", false, TestName = "Both selectors in one peer: the pod does not match")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: {team: other}}}, {podSelector: {matchLabels: {app: admin}}}]}]}", "admin > redis:6379", true, TestName = "Two peers: either is enough")]

    // Ports.
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}", "admin > api:8000", true, TestName = "A port by number, from everybody")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}", "admin > api:9100", false, TestName = "Another port")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: 8000}]}]}", "admin > api:8000/UDP", false, TestName = "The protocol is TCP where none is named")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: 8000, protocol: UDP}]}]}", "admin > api:8000/UDP", true, TestName = "Another protocol where it is named")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: http}]}]}", "worker > api:8000", true, TestName = "A port by name is what the selected pod calls so")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: http}]}]}", "worker > admin:3000", true, TestName = "The same name is another number on another pod")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: http}]}]}", "worker > admin:8000", false, TestName = "A name is not the number that it has on another pod")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: http}]}]}", "worker > redis:6379", false, TestName = "A name that the pod does not have opens nothing")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: gossip}]}]}", "worker > api:8000", false, TestName = "A name is of one protocol")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: 9000, endPort: 9200}]}]}", "admin > api:9200", true, TestName = "A range of ports holds its last")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{port: 9000, endPort: 9200}]}]}", "admin > api:9201", false, TestName = "A range of ports ends")]
    [TestCase("{podSelector: {}, ingress: [{ports: [{protocol: TCP}]}]}", "admin > api:1", true, TestName = "A protocol alone is all of its ports")]
    [TestCase("{podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: {app: admin}}}], ports: [{port: 8000}]}]}", "worker > api:8000", false, TestName = "A rule wants both its peer and its port")]

    // Ranges.
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24}}]}]}", "internet > api:8000", true, TestName = "A range holds an address")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.0/29]}}]}]}", "internet > api:8000", false, TestName = "A range with an exception does not")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.8/29]}}]}]}", "internet > api:8000", true, TestName = "An exception for others")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.0/24, except: [198.51.100.0/29]}}, {ipBlock: {cidr: 198.51.100.7/32}}]}]}", "internet > api:8000", true, TestName = "An exception is from its own range, not from another")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}", "internet6 > api:8000", false, TestName = "A range of one family holds none of the other")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: '::/0'}}]}]}", "internet6 > api:8000", true, TestName = "IPv6")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.42.0.0/16}}]}]}", "stranger > api:8000", true, TestName = "A range holds the addresses of pods too, as kube-router sees it")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 198.51.100.7/24}}]}]}", "internet > api:8000", true, TestName = "Bits beyond the prefix do not count")]

    // The nodes' own network.
    [TestCase("{podSelector: {}}", "traefik1 > api:8000", true, TestName = "A pod on its node's network reaches the pods of that node")]
    [TestCase("{podSelector: {}}", "traefik2 > api:8000", false, TestName = "A pod on another node's network does not")]
    [TestCase("{podSelector: {}}", "n1 > api:8000", true, TestName = "A node reaches the pods on it, as probes do")]
    [TestCase("{podSelector: {}}", "n2 > api:8000", false, TestName = "A node does not reach pods on another")]
    [TestCase("{podSelector: {}, ingress: [{from: [{namespaceSelector: {}, podSelector: {matchLabels: {app: traefik}}}]}]}", "traefik2 > api:8000", false, TestName = "No selector names a pod on its node's network")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.12/32}}]}]}", "traefik2 > api:8000", false, TestName = "The node's address alone is not enough: it comes through the tunnel")]
    [TestCase("{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.12/32}}, {ipBlock: {cidr: 10.42.1.0/32}}, {ipBlock: {cidr: 10.42.1.1/32}}]}]}", "traefik2 > api:8000", true, TestName = "The node's addresses on both networks are")]

    // What goes out.
    [TestCase("{podSelector: {}, policyTypes: [Egress]}", "api > redis:6379", false, TestName = "Egress without a rule lets nothing out")]
    [TestCase("{podSelector: {}, policyTypes: [Egress]}", "stranger > api:8000", true, TestName = "A policy of egress alone does not limit what comes in")]
    [TestCase("{podSelector: {}, egress: [{to: [{podSelector: {matchLabels: {app: redis}}}]}]}", "api > redis:6379", false, TestName = "Without policyTypes, rules of egress limit both directions")]
    [TestCase("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: redis}}}], ports: [{port: redis}]}]}", "api > redis:6379", true, TestName = "A port by name of what is connected to")]
    [TestCase("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}], ports: [{port: 5432}]}]}", "api > postgres:5432", true, TestName = "Out to a server outside of the cluster")]
    [TestCase("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0, except: [10.0.0.0/8]}}]}]}", "api > redis:6379", false, TestName = "Out to the internet is not out to the cluster")]
    [TestCase("{podSelector: {}, policyTypes: [Egress], egress: [{ports: [{port: http}]}]}", "api > postgres:5432", false, TestName = "An address has no ports by name")]
    [TestCase("{podSelector: {}, policyTypes: [Egress], egress: [{to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}], ports: [{port: 53, protocol: UDP}]}]}", "api > dns:53/UDP", true, TestName = "DNS")]
    [TestCase("{podSelector: {matchLabels: {app: traefik}}, policyTypes: [Egress]}", "traefik1 > postgres:5432", true, TestName = "What a pod on its node's network sends is not limited")]
    public void Should_decide_as_Kubernetes_does(string spec, string flow, bool allowed)
    {
        IEnumerable<JsonObject> policies = spec.Length == 0 ? [] : [Policy(spec)];

        var verdict = Evaluator(policies).Evaluate(Flow(flow));

        Assert.That(verdict.IsAllowed, Is.EqualTo(allowed), verdict.Reason);
    }

    [TestCase("{podSelector: {}, policyTypes: [Egress]}", "traefik2 > postgres:5432", TestName = "Nor by a policy of its own namespace")]
    [TestCase("{podSelector: {}}", "stranger > traefik2:443", TestName = "Nor is what comes in to it, by one")]
    public void Should_not_limit_a_pod_on_its_nodes_network(string spec, string flow) =>
        Assert.That(Evaluator(Policy(spec, "own", "kube-system")).Evaluate(Flow(flow)).IsAllowed, Is.True);

    [Test]
    public void Should_want_both_ends_to_allow_it_When_both_are_limited()
    {
        var egress = Policy("{podSelector: {matchLabels: {app: api}}, policyTypes: [Egress], egress: [{to: [{podSelector: {matchLabels: {app: redis}}}]}]}", "api-out");
        var ingress = Policy("{podSelector: {matchLabels: {app: redis}}, ingress: [{from: [{podSelector: {matchLabels: {app: worker}}}]}]}", "redis-in");
        var open = Policy("{podSelector: {matchLabels: {app: redis}}, ingress: [{from: [{podSelector: {matchLabels: {app: api}}}]}]}", "redis-api");

        Assert.Multiple(() =>
        {
            Assert.That(Evaluator(egress, ingress).Evaluate(Flow("api > redis:6379")), Is.EqualTo(new FlowVerdict(false, "redis-in (ingress) does not name it")));
            Assert.That(Evaluator(egress, ingress, open).Evaluate(Flow("api > redis:6379")), Is.EqualTo(new FlowVerdict(true, "api-out (egress); redis-api (ingress)")));
        });
    }

    private static readonly string[] Specs =
    [
        "{podSelector: {}}", "{podSelector: {}, policyTypes: [Egress]}", "{podSelector: {}, policyTypes: [Ingress, Egress]}",
        "{podSelector: {matchLabels: {app: api}}, ingress: [{from: [{podSelector: {}}], ports: [{port: http}]}]}",
        "{podSelector: {matchLabels: {app: redis}}, ingress: [{from: [{podSelector: {matchLabels: {tier: back}}}]}]}",
        "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.42.0.0/16, except: [10.42.1.0/24]}}]}]}",
        "{podSelector: {matchLabels: {tier: back}}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}], ports: [{port: 1000, endPort: 9000}]}]}",
        "{podSelector: {}, ingress: [{from: [{namespaceSelector: {}}]}], egress: [{}]}",
    ];

    private static readonly Gen<JsonObject> AnyPolicy =
        Gen.Select(OneOf(Specs), OneOf("shop", "other", "kube-system"), Gen.Int[0, 999], (spec, ns, number) => Policy(spec, $"p{number}", ns));

    private static readonly Gen<Flow> AnyFlow = Gen.Select(
        OneOf([.. All]), OneOf([.. All]), OneOf(53, 3000, 5432, 6379, 8000), OneOf("TCP", "UDP"),
        (from, to, port, protocol) => new Flow(from, to, port, protocol));

    [Test]
    public void Should_not_depend_on_the_order_of_policies() => Gen.Select(AnyPolicy.List[0, 6], AnyFlow).Sample(
        (policies, flow) => Evaluator(policies).Evaluate(flow).IsAllowed == Evaluator(policies.AsEnumerable().Reverse()).Evaluate(flow).IsAllowed);

    [Test]
    public void Should_never_take_a_connection_away_When_a_pod_that_is_limited_gets_one_more_policy_of_that_direction() => Gen.Select(AnyPolicy.List[0, 6], AnyFlow).Sample(
        (policies, flow) =>
        {
            // With everything limited already, a further policy can only allow more.
            var limited = Namespaces.Keys.Select(ns => Policy("{podSelector: {}, policyTypes: [Ingress, Egress]}", "deny", ns)).ToList();
            return policies.Select((_, count) => Evaluator(limited.Concat(policies.Take(count))).Evaluate(flow).IsAllowed)
                .Aggregate((Last: false, IsMonotone: true), (state, now) => (now, state.IsMonotone && (now || !state.Last))).IsMonotone;
        });

    [Test]
    public void Should_allow_everything_When_every_pod_has_a_policy_that_does() => Gen.Select(AnyPolicy.List[0, 6], AnyFlow).Sample(
        (policies, flow) => Evaluator(policies.Concat(Namespaces.Keys.Select(ns =>
            Policy("{podSelector: {}, policyTypes: [Ingress, Egress], ingress: [{}], egress: [{}]}", "open", ns)))).Evaluate(flow).IsAllowed);

    [Test]
    public void Should_allow_the_same_When_a_range_is_cut_in_halves()
    {
        Gen.Select(Gen.UInt, Gen.Int[1, 31], Gen.UInt).Sample((start, length, other) =>
        {
            var mask = uint.MaxValue << (32 - length);
            var half = 1u << (31 - length);
            var whole = $"{Address(start & mask)}/{length}";
            var halves = ((string[])[$"{Address(start & mask)}/{length + 1}", $"{Address((start & mask) + half)}/{length + 1}"]);
            return ((uint[])[other, start, (start & mask) - 1, (start | ~mask) + 1]).All(address =>
                Ranges.Contains(whole, Address(address)) == halves.Any(range => Ranges.Contains(range, Address(address))));
        });

        static System.Net.IPAddress Address(uint value) => new([(byte)(value >> 24), (byte)(value >> 16), (byte)(value >> 8), (byte)value]);
    }

    [TestCase("10.0.0.0")]
    [TestCase("10.0.0.0/33")]
    [TestCase("10.0.0.0/-1")]
    [TestCase("nodes")]
    public void Should_refuse_it_When_a_range_is_none(string range) =>
        Assert.That(() => Ranges.Parse(range), Throws.TypeOf<K3sException>().With.Message.Contains(range));

    private static Gen<T> OneOf<T>(params T[] values) => Gen.Int[0, values.Length - 1].Select(index => values[index]);
}
