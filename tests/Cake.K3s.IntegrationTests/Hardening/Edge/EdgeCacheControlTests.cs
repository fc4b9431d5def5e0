using System.Collections.Immutable;
using System.Net;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Edge.EdgeCache;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;

namespace Cake.K3s.IntegrationTests.Hardening.Edge;

/// <summary>EdgeCache against a stand-in for Cloudflare, among rules of others.</summary>
public sealed class EdgeCacheControlTests
{
    private static readonly EdgeCacheRule Landing = new() { Name = "landing", Host = "example.com", Paths = ["/", "/assets/*"], Browser = Duration.FromMinutes(5) };
    private static readonly EdgeCacheRule LookUps = new() { Name = "look-ups", Host = "api.example.com", Paths = ["/public/*"], Edge = Duration.FromMinutes(120), Browser = Duration.FromMinutes(5) };
    private EdgeStage _stage = null!;

    [SetUp]
    public async Task StartAsync() => _stage = await EdgeStage.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _stage.DisposeAsync();

    private EdgeCacheControl Control(Faults? faults = null, params ImmutableArray<EdgeCacheRule> rules)
    {
        var (cluster, cloudflare, visitor) = _stage.Run(new() { Cache = new() { Rules = rules.IsEmpty ? [Landing, LookUps] : rules } }, faults);
        return new(cluster, cloudflare, visitor);
    }

    private IEnumerable<string> Refs => (_stage.Cloudflare.CacheRules ?? []).Select(rule => rule["ref"]?.ToString() ?? "of others");

    private void AddRuleOfOthers() => (_stage.Cloudflare.CacheRules ??= []).Add(new()
    {
        ["id"] = _stage.Cloudflare.NextId(),
        ["expression"] = "true",
        ["action"] = "set_cache_settings",
        ["action_parameters"] = new System.Text.Json.Nodes.JsonObject { ["cache"] = false },
        ["enabled"] = true,
    });

    [Test]
    public async Task Should_MakeTheRules_When_TheZoneNeverHadOne()
    {
        Assert.That((await Control().AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));

        await Control().ApplyAsync(default);

        Assert.That(Refs, Is.EqualTo(["cake_k3s_shop_test_landing", "cake_k3s_shop_test_look-ups"]));
        Assert.That(
            _stage.Cloudflare.CacheRules![0]["expression"]!.ToString(),
            Is.EqualTo("""(http.host eq "example.com" and (http.request.uri.path eq "/" or starts_with(http.request.uri.path, "/assets/")))"""));
        Assert.That(_stage.Cloudflare.CacheRules[0]["action_parameters"]!.ToJsonString(), Is.EqualTo("""{"cache":true,"edge_ttl":{"mode":"respect_origin"},"browser_ttl":{"mode":"override_origin","default":300}}"""));
        Assert.That(await Control().ApplyAsync(default), Is.Empty);
        Assert.That(_stage.Cloudflare.Wrong, Is.Empty);
    }

    [Test]
    public async Task Should_ChangeOneRule_When_OneIsDifferent()
    {
        AddRuleOfOthers();
        await Control().ApplyAsync(default);

        var changes = await Control(null, Landing with { Browser = Duration.FromMinutes(1) }, LookUps).ApplyAsync(default);

        Assert.That(changes.Select(change => change.Description), Is.EqualTo(["change cache rule cake_k3s_shop_test_landing"]));
        Assert.That(Refs, Is.EqualTo(["of others", "cake_k3s_shop_test_landing", "cake_k3s_shop_test_look-ups"]));
    }

    [Test]
    public async Task Should_PutTheRulesInOrder_When_DeployYamlHasAnotherOne()
    {
        await Control().ApplyAsync(default);
        var turned = Control(null, LookUps, Landing);

        Assert.That((await turned.AuditAsync(default)).Select(finding => finding.State), Has.Some.EqualTo(ControlState.Drifted));
        await turned.ApplyAsync(default);

        Assert.That(Refs, Is.EqualTo(["cake_k3s_shop_test_look-ups", "cake_k3s_shop_test_landing"]));
        Assert.That((await turned.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
    }

    [TestCase("/a\"b")]
    [TestCase("no-slash")]
    [TestCase("/a*b")]
    public void Should_RefuseAPath_When_ItIsNone(string path) => Assert.That(
        async () => await Control(null, Landing with { Paths = [path] }).ApplyAsync(default),
        Throws.TypeOf<K3sException>().With.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.BadInput));

    [Test]
    public async Task Should_SeeTheCacheAtWork_When_TheSecondAnswerIsAHit()
    {
        var asked = 0;
        _stage.Visitor = _ => Answer(Interlocked.Increment(ref asked) == 1 ? "MISS" : "HIT", 300);
        Assert.That((await Control(null, Landing with { Paths = ["/"] }).VerifyAsync(default)).Single().State, Is.EqualTo(ControlState.InPlace));

        _stage.Visitor = _ => Answer("DYNAMIC", 300);
        Assert.That((await Control().VerifyAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));

        _stage.Visitor = _ => Answer("HIT", 14400);
        Assert.That((await Control().VerifyAsync(default)).Select(finding => finding.Summary), Is.All.Contain("max-age 14400, not 300"));
    }

    [Test]
    public async Task Should_DeleteItsRules_When_UndoneAfterTheyWereTakenOutOfDeployYaml()
    {
        AddRuleOfOthers();
        await Control().ApplyAsync(default);
        var (cluster, cloudflare, visitor) = _stage.Run(new());

        await new EdgeCacheControl(cluster, cloudflare, visitor).UndoAsync(default);

        Assert.That(Refs, Is.EqualTo(["of others"]));
    }

    [Test]
    public Task Should_ConvergeAndUndo_When_KilledOrRefusedAtAnyWrite()
    {
        AddRuleOfOthers();
        return Interruption.EachChangeAsync(faults => Control(faults), () => Task.FromResult(_stage.CloudflareState()));
    }

    private static HttpResponseMessage Answer(string status, int age)
    {
        var answer = new HttpResponseMessage(HttpStatusCode.OK);
        answer.Headers.Add("cf-cache-status", status);
        answer.Headers.CacheControl = new() { MaxAge = TimeSpan.FromSeconds(age) };
        return answer;
    }
}
