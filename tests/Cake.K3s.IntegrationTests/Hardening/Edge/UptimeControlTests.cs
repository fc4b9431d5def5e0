using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.Uptime;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Operations.Uptime;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;
using Cake.K3s.Tests.Edge.BetterStack;

namespace Cake.K3s.IntegrationTests.Hardening.Edge;

/// <summary>Uptime against the sandbox's API and a stand-in for Better Stack; the checks go to a server of the test's.</summary>
public sealed class UptimeControlTests
{
    private EdgeStage _stage = null!;
    private BetterStackStandIn _outside = null!;
    private HttpListener _app = null!;
    private string _address = "";

    [SetUp]
    public async Task StartAsync()
    {
        _stage = await EdgeStage.StartAsync();
        _outside = new();
        using (var api = _stage.Open())
        {
            await api.CreateAsync(EdgeStage.Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        }

        using var free = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        free.Start();
        _address = $"http://127.0.0.1:{((IPEndPoint)free.LocalEndpoint).Port}/";
        free.Stop();
        _app = new();
        _app.Prefixes.Add(_address);
        _app.Start();
        _ = AnswerAsync(_app);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _app.Close();
        _outside.Dispose();
        await _stage.DisposeAsync();
    }

    private static async Task AnswerAsync(HttpListener app)
    {
        try
        {
            while (true)
            {
                (await app.GetContextAsync()).Response.Close("all is well"u8.ToArray(), willBlock: false);
            }
        }
        catch (Exception closed) when (closed is HttpListenerException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private UptimeControl Control(Faults? faults = null, Func<UptimeSettings, UptimeSettings>? change = null)
    {
        var settings = new UptimeSettings
        {
            Checks = [new() { Name = "page", Url = _address }, new() { Name = "api", Url = _address, Contains = "well" }, new() { Name = "more", Url = _address, Interval = Duration.FromMinutes(5) }],
            Gatus = new() { Image = "ghcr.io/twin/gatus@sha256:" + new string('0', 64), Slack = new() { Variable = "SLACK" } },
            BetterStack = new() { Token = new() { Variable = "BETTERSTACK" }, Api = BetterStackStandIn.Address },
        };
        settings = change?.Invoke(settings) ?? settings;
        var (cluster, _, _) = _stage.Run(new(), faults, change: environment => environment with { Uptime = settings });
        var mask = new SecretMask();
        var secrets = new SecretReader(
            new EnvironmentVariables(name => name switch { "BETTERSTACK" => BetterStackStandIn.Token, "SLACK" => "https://hooks.example.com/secret", _ => null }),
            new CommandRunner(mask, TimeProvider.System),
            mask);
        var http = _stage.Client(_outside, faults);
        return new(cluster, secrets, new UptimeProbe(TimeProvider.System), http, _stage.Time);
    }

    [Test]
    public async Task Should_LookFromInsideAndOutside_When_Applied()
    {
        Assert.That((await Control().AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));

        await Control().ApplyAsync(default);

        using var api = _stage.Open();
        var map = await api.GetAsync(new(new("", "v1", "ConfigMap"), "shop", "shop-uptime"), default);
        var configuration = JsonNode.Parse(map.Text("data", "config.yaml")!)!;
        var secret = await api.GetAsync(new(new("", "v1", "Secret"), "shop", "shop-uptime"), default);
        Assert.Multiple(async () =>
        {
            Assert.That(configuration["endpoints"]!.AsArray().Select(endpoint => endpoint!["name"]!.ToString()), Is.EqualTo(["page", "api", "more", "sign-of-life"]));
            Assert.That(configuration["endpoints"]![1]!["conditions"]!.ToJsonString(), Does.Contain("[BODY] == pat(*well*)"));
            Assert.That(map!.ToJsonString(), Does.Not.Contain("hooks.example.com"), "a secret is no part of a ConfigMap");
            Assert.That(
                System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(secret.Text("data", "HEARTBEAT_URL")!)),
                Is.EqualTo(_outside.Heartbeats.Single()["attributes"]!["url"]!.ToString()), "the dead-man's address");
            Assert.That(_outside.Monitors, Has.Count.EqualTo(3));
            Assert.That((await Control().AuditAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty);
            Assert.That(await Control().ApplyAsync(default), Is.Empty);
            Assert.That((await Control().VerifyAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty);
            Assert.That(_outside.Wrong, Is.Empty);
        });
    }

    [Test]
    public async Task Should_SaySo_When_TheClusterIsSilentOrTheAppIsStopped()
    {
        _outside.Status = "pending";
        await Control().ApplyAsync(default);
        Assert.That((await Control().VerifyAsync(default)).Select(finding => finding.Summary), Has.Some.EqualTo("Better Stack says that it is pending"));

        _app.Close();
        Assert.That((await Control().VerifyAsync(default)).Where(finding => finding.Target == "page").Select(finding => finding.Summary), Has.Some.Contain("does not answer"));
    }

    [Test]
    public async Task Should_ChangeAndDeleteMonitors_When_ChecksChange()
    {
        await Control().ApplyAsync(default);
        var changes = await Control(change: settings => settings with { Checks = [settings.Checks[0] with { Status = 204 }, settings.Checks[1]] }).ApplyAsync(default);

        Assert.That(_outside.Monitors.Select(monitor => monitor["attributes"]!["pronounceable_name"]!.ToString()), Is.EqualTo(["shop test: page", "shop test: api"]));
        Assert.That(_outside.Monitors[0]["attributes"]!["expected_status_codes"]!.ToJsonString(), Is.EqualTo("[204]"));
        Assert.That(changes, Has.Length.EqualTo(4), "a monitor changed, one deleted, the configuration and the Deployment that reads it");
    }

    [Test]
    public async Task Should_SayWhereMonitorsAreLeft_When_BetterStackIsTakenOutOfDeployYaml()
    {
        UptimeControl Without() => Control(change: settings => settings with { BetterStack = null });
        await Without().ApplyAsync(default);
        Assert.That((await Without().AuditAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty, "it never was in");
        await Control().ApplyAsync(default);
        using var api = _stage.Open();
        var before = await api.ListAsync(new("", "v1", "Secret"), "shop", null, default);

        Assert.That((await Without().AuditAsync(default)).Single(finding => finding.Target == "Better Stack").State, Is.EqualTo(ControlState.Drifted));
        foreach (var work in (Func<UptimeControl, Task>[])[control => control.PlanAsync(default), control => control.ApplyAsync(default), control => control.UndoAsync(default)])
        {
            Assert.That(
                () => work(Without()),
                Throws.TypeOf<K3sException>().With.Message.Contains("'shop test: …' at Better Stack").And.Property(nameof(K3sException.NextStep)).Contains("Undo-Uptime"));
        }

        Assert.That((await api.ListAsync(new("", "v1", "Secret"), "shop", null, default)).ResourceVersion, Is.EqualTo(before.ResourceVersion), "nothing was changed");
        await Control().UndoAsync(default);
        Assert.That(_outside.Monitors.Concat(_outside.Heartbeats), Is.Empty);
    }

    [Test]
    public async Task Should_DeleteMonitors_When_UndoneAfterTheClusterWasMadeAnew()
    {
        await Control().ApplyAsync(default);
        using (var api = _stage.Open())
        {
            foreach (var secret in (await api.ListAsync(new("", "v1", "Secret"), "shop", null, default)).Items.Where(secret => secret.ObjectName()!.Contains("journal", StringComparison.Ordinal)))
            {
                await api.DeleteAsync(ObjectKey.Of(secret), default);
            }
        }

        await Control().UndoAsync(default);
        Assert.That(_outside.Monitors.Concat(_outside.Heartbeats), Is.Empty);
    }

    [Test]
    public void Should_RefuseTheCheck_When_BetterStackHasNoSuchInterval() => Assert.That(
        async () => await Control(change: settings => settings with { Checks = [settings.Checks[0] with { Interval = Duration.FromMinutes(7) }] }).ApplyAsync(default),
        Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.BadInput));

    [Test]
    public async Task Should_LeaveTheMonitorsOfOthersAlone_When_Undone()
    {
        _outside.Monitors.Add(EdgeStage.Node("""{"id": "900", "type": "monitor", "attributes": {"pronounceable_name": "blog", "url": "https://blog.example.com", "status": "up"}}"""));
        await Interruption.EachChangeAsync(faults => Control(faults), async () =>
        {
            using var api = _stage.Open();
            var names = new List<string?>();
            foreach (var type in new GroupVersionKind[] { new("", "v1", "ConfigMap"), new("", "v1", "Secret"), new("", "v1", "Service"), new("apps", "v1", "Deployment"), new("networking.k8s.io", "v1", "NetworkPolicy") })
            {
                names.AddRange((await api.ListAsync(type, "shop", null, default)).Items.Select(item => item.ObjectName()));
            }

            return string.Join(',', names) + _outside.State();
        });
        Assert.That(_outside.Wrong, Is.Empty);
    }
}
