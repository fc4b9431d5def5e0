using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Operations.Contingency;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tests.Kubernetes;
using Cake.K3s.Tests.Kubernetes.Releases;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Operations.Contingency;

/// <summary>SwitchDatabase on an API in memory whose controllers the test plays.</summary>
public sealed class DatabaseSwitchTests
{
    private static readonly Secret Old = new("postgres://ann:one@old.example.com/shop");
    private static readonly Secret New = new("postgres://ann:two@new.example.com/shop");
    private readonly FakeTimeProvider _time = new(A.Time);
    private readonly RecordingReporter _reporter = new();
    private InMemoryApi _server = null!;

    [SetUp]
    public void Start()
    {
        _server = new() { Written = PlayControllers };
        _server.Put(SecretNode("shop", ("DATABASE_URL", Old), ("OTHER", new Secret("x"))));
        _server.Put(SecretNode("unrelated", ("TOKEN", new Secret("y"))));
        _server.Put(Deployment("api", """{"envFrom": [{"secretRef": {"name": "shop"}}]}"""));
        _server.Put(Deployment("worker", """{"env": [{"name": "URL", "valueFrom": {"secretKeyRef": {"name": "shop", "key": "DATABASE_URL"}}}]}"""));
        _server.Put(Deployment("admin", """{"envFrom": [{"secretRef": {"name": "unrelated"}}]}"""));
        _server.Writes.Clear();
    }

    private Task SwitchAsync(Secret from, Secret to, Faults? faults = null) =>
        new DatabaseSwitch(null!, null!, null!, new RolloutWatcher(_time, _reporter), _reporter, _time).SwitchAsync(_server.Open(faults ?? new(), _time), from, to, default);

    [Test]
    public async Task Should_RestartWhoeverReadsIt_When_TheAddressChanges()
    {
        await SwitchAsync(Old, New);

        Assert.Multiple(() =>
        {
            Assert.That(Address(), Is.EqualTo(New.Reveal()));
            Assert.That(Restarted(), Is.EqualTo(["api", "worker"]));
            Assert.That(_reporter.Lines, Has.None.Contain("example.com"), "no address is told");
        });
    }

    [Test]
    public async Task Should_ChangeNothing_When_ItIsDoneAlready()
    {
        await SwitchAsync(Old, New);
        _server.Writes.Clear();

        await SwitchAsync(Old, New);

        Assert.That(_server.Writes, Is.Empty);
    }

    [Test]
    public async Task Should_GoBack_When_SwitchedTheOtherWayRound()
    {
        await SwitchAsync(Old, New);
        await SwitchAsync(New, Old);

        Assert.That(Address(), Is.EqualTo(Old.Reveal()));
    }

    [Test]
    public void Should_ChangeNothing_When_NoSecretHasTheAddress()
    {
        Assert.That(() => SwitchAsync(new Secret("postgres://other/x"), New), Throws.TypeOf<K3sException>().With.Message.Contains("no Secret"));
        Assert.That(_server.Writes, Is.Empty);
    }

    [TestCase(FaultKind.Killed)]
    [TestCase(FaultKind.KilledAfter)]
    [TestCase(FaultKind.Fails)]
    public async Task Should_Converge_When_CutOffAtAnyWrite(object kind)
    {
        var write = 1;
        for (; await IsStruckAsync(new(write, (FaultKind)kind)); write++)
        {
            await SwitchAsync(Old, New);
            Assert.That((Address(), string.Join(',', Restarted())), Is.EqualTo((New.Reveal(), "api,worker")), $"{kind} at write {write}");
            Start();
        }

        Assert.That(write, Is.EqualTo(4), "the Secret and two workloads");

        async Task<bool> IsStruckAsync(Faults faults)
        {
            try
            {
                await SwitchAsync(Old, New, faults);
            }
            catch (Exception struck) when (struck is KilledException or K3sException && faults.Struck)
            {
                // As meant.
            }

            return faults.Struck;
        }
    }

    private string Address() => Encoding.UTF8.GetString(Convert.FromBase64String(_server.Find("secrets", "shop").Text("data", "DATABASE_URL")!));

    private IEnumerable<string> Restarted() => _server.All("deployments")
        .Where(node => node.Text("spec", "template", "metadata", "annotations", "cake.k3s/database") is not null).Select(node => node.ObjectName()!).Order(StringComparer.Ordinal);

    private void PlayControllers(JsonObject node)
    {
        if (node.Text("kind") == "Deployment" && node["status"] is null)
        {
            _server.Change("deployments", node.ObjectName()!, live => live["status"] = new JsonObject
            {
                ["observedGeneration"] = 1,
                ["replicas"] = 1,
                ["updatedReplicas"] = 1,
                ["availableReplicas"] = 1,
                ["conditions"] = new JsonArray(),
            });
        }
    }

    private static JsonObject SecretNode(string name, params (string Key, Secret Value)[] data) => new()
    {
        ["apiVersion"] = "v1",
        ["kind"] = "Secret",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["type"] = "Opaque",
        ["data"] = new JsonObject(data.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)Convert.ToBase64String(Encoding.UTF8.GetBytes(pair.Value.Reveal()))))),
    };

    private static JsonObject Deployment(string name, string container) => new()
    {
        ["apiVersion"] = "apps/v1",
        ["kind"] = "Deployment",
        ["metadata"] = new JsonObject { ["name"] = name },
        ["spec"] = new JsonObject { ["replicas"] = 1, ["template"] = new JsonObject { ["spec"] = new JsonObject { ["containers"] = new JsonArray(JsonNode.Parse(container)) } } },
        ["status"] = new JsonObject { ["observedGeneration"] = 1, ["replicas"] = 1, ["updatedReplicas"] = 1, ["availableReplicas"] = 1, ["conditions"] = new JsonArray() },
    };
}
