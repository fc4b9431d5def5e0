using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.NetworkPolicies;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The policies of this repository, against an API without nodes or pods.</summary>
public sealed class NetworkPoliciesControlTests
{
    private static readonly GroupVersionKind PolicyType = new("networking.k8s.io", "v1", "NetworkPolicy");
    private readonly string _root = TestContext.CurrentContext.TestDirectory[..TestContext.CurrentContext.TestDirectory.IndexOf("/tests/", StringComparison.Ordinal)];
    private readonly List<string> _writes = [];
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private volatile int _failAt = int.MaxValue;

    [SetUp]
    public async Task StartAsync()
    {
        _writes.Clear();
        _failAt = int.MaxValue;
        _host = await ApiHost.StartAsync((context, next) =>
        {
            if (context.Request.Method is "PATCH" or "DELETE" && !context.Request.Query.ContainsKey("dryRun") && context.Request.Path.Value!.Contains("/networkpolicies/"))
            {
                _writes.Add($"{context.Request.Method} {context.Request.Path.Value.Split('/')[^1]}");
                if (_writes.Count >= _failAt)
                {
                    context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                    return Task.CompletedTask;
                }
            }

            return next(context);
        });
        _api = _host.Open();
        await _api.CreateAsync(JsonNode.Parse("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}""")!.AsObject(), default);
        foreach (var (name, number) in ((string, int)[])[("n1", 1), ("n2", 2)])
        {
            await _api.CreateAsync(
                JsonNode.Parse($$"""
                    {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "{{name}}"}, "spec": {"podCIDR": "10.42.{{number}}.0/24", "podCIDRs": ["10.42.{{number}}.0/24"]} }
                    """)!.AsObject(),
                default);
            await _api.PatchAsync(
                new(new("", "v1", "Node"), null, name),
                PatchType.Merge,
                JsonNode.Parse($$"""{"status": {"addresses": [{"type": "InternalIP", "address": "203.0.113.{{number}}"}]} }""")!,
                default,
                new() { Subresource = "status" });
        }
    }

    [TearDown]
    public async Task StopAsync()
    {
        _api.Dispose();
        await _host.DisposeAsync();
    }

    private NetworkPoliciesControl Control(ClusterApi api) => Control(api, "manifests/hardening/network-policies", "manifests/hardening/network-policies-outside");

    private NetworkPoliciesControl Control(ClusterApi api, params string[] folders) => new(
        ControlStage.Cluster(
            api,
            new()
            {
                NetworkPolicies = new NetworkPolicySettings
                {
                    Manifests = [.. folders],
                    Outside = new Dictionary<string, OutsideSettings>
                    {
                        ["postgres"] = new() { Secret = "DATABASE_URL" },
                        ["storage"] = new() { Address = "192.0.2.1:443" },
                        ["mail"] = new() { Address = "192.0.2.2:465" },
                    }.ToImmutableDictionary(),
                },
            },
            _root,
            environment => environment with { Secrets = environment.Secrets.Add("DATABASE_URL", new Secret("postgres://u:p@10.9.8.7:6543/d")) }),
        ControlStage.Loader);

    [Test]
    public async Task Should_fill_in_the_addresses_of_nodes_and_servers()
    {
        await Control(_api).ApplyAsync(default);
        var traefik = await _api.GetAsync(new(PolicyType, "shop", "traefik-to-api"), default);
        var app = await _api.GetAsync(new(PolicyType, "shop", "app-out"), default);
        var storage = await _api.GetAsync(new(PolicyType, "shop", "app-to-storage"), default);

        Assert.Multiple(() =>
        {
            Assert.That(
                traefik.Objects("spec", "ingress").Single().Objects("from").Select(peer => peer.Text("ipBlock", "cidr")).OfType<string>(),
                Is.EqualTo(["10.42.1.0/32", "10.42.1.1/32", "10.42.2.0/32", "10.42.2.1/32", "203.0.113.1/32", "203.0.113.2/32"]));
            Assert.That(app.Objects("spec", "egress").Last().ToJsonString(), Is.EqualTo("""{"to":[{"ipBlock":{"cidr":"10.9.8.7/32"}}],"ports":[{"protocol":"TCP","port":6543}]}"""));
            Assert.That(storage!.ToJsonString(), Does.Contain("\"0.0.0.0/0\"").And.Contain("\"10.0.0.0/8\"").And.Contain("\"port\":443"));
        });
    }

    [Test]
    public async Task Should_keep_all_open_until_what_comes_in_is_allowed_and_then_what_goes_out()
    {
        await Control(_api).ApplyAsync(default);

        var open = _writes.Select((write, index) => (write, index)).Where(item => item.write.EndsWith("open-while-applying", StringComparison.Ordinal)).ToList();
        Assert.Multiple(() =>
        {
            Assert.That(open.Select(item => item.write.Split(' ')[0]), Is.EqualTo(["PATCH", "PATCH", "DELETE"]));
            Assert.That(open[0].index, Is.Zero);
            Assert.That(_writes[1..open[1].index], Does.Contain("PATCH default-deny-ingress").And.Not.Contain("PATCH default-deny-egress"));
            Assert.That(_writes[open[1].index..open[2].index], Does.Contain("PATCH default-deny-egress").And.Contain("PATCH dns"));
            Assert.That(open[2].index, Is.EqualTo(_writes.Count - 1));
        });
    }

    [Test]
    public async Task Should_converge_when_the_API_failed_in_the_middle()
    {
        _failAt = 4;
        Assert.That(async () => await Control(_api).ApplyAsync(default), Throws.InstanceOf<K3sException>());
        _failAt = int.MaxValue;

        await Control(_api).ApplyAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That((await Control(_api).AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
            Assert.That(await StateAsync(), Does.Not.Contain("open-while-applying"));
        });
    }

    [Test]
    public Task Should_converge_and_undo_when_killed_at_any_change() => Interruption.EachChangeAsync(
        _host, api => Control(api, "manifests/hardening/network-policies-outside"), StateAsync);

    private async Task<string> StateAsync() =>
        string.Join(' ', (await _api.ListAsync(PolicyType, "shop", null, default)).Items.Select(policy => policy.ObjectName()));
}
