using System.Net;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Edge.OriginTls;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;

namespace Cake.K3s.IntegrationTests.Hardening.Edge;

/// <summary>OriginTls against the sandbox's API, a listener that serves what is in it, and a stand-in for Cloudflare.</summary>
public sealed class OriginTlsControlTests
{
    private static readonly GroupVersionKind IngressType = new("networking.k8s.io", "v1", "Ingress");
    private EdgeStage _stage = null!;
    private OriginListener _origin = null!;
    private ClusterApi _api = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _stage = await EdgeStage.StartAsync();
        _api = _stage.Open();
        await CustomTypes.DefineAsync(
            _api,
            [EdgeStage.Node("""
                {"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "tlsoptions.traefik.io"},
                 "spec": {"group": "traefik.io", "scope": "Namespaced", "names": {"kind": "TLSOption", "listKind": "TLSOptionList", "plural": "tlsoptions", "singular": "tlsoption"},
                  "versions": [{"name": "v1alpha1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
                    "clientAuth": {"type": "object", "properties": {"secretNames": {"type": "array", "items": {"type": "string"}},
                      "clientAuthType": {"type": "string", "enum": ["NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven", "RequireAndVerifyClientCert"]}}}}}}}}}]}}
                """)]);
        await _api.CreateAsync(EdgeStage.Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        await _api.ApplyAsync(
            EdgeStage.Node("""
                {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "shop", "namespace": "shop", "annotations": {"keep": "me"}},
                 "spec": {"rules": [
                   {"host": "shop.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "api", "port": {"number": 80}}}}]}},
                   {"host": "admin.example.com", "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": {"service": {"name": "admin", "port": {"number": 80}}}}]}}]}}
                """),
            default);
        _origin = new(_api);
        _stage.Cloudflare.DnsRecords.Add(new() { ["type"] = "A", ["name"] = "shop.example.com", ["content"] = "192.0.2.1", ["proxied"] = true });
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _origin.DisposeAsync();
        _api.Dispose();
        await _stage.DisposeAsync();
    }

    private OriginTlsControl Control(Faults? faults = null, OriginPullMode pulls = OriginPullMode.Off, Func<OriginTlsSettings, OriginTlsSettings>? change = null)
    {
        var settings = new OriginTlsSettings { Origins = [_origin.Address], OriginPulls = pulls };
        settings = change?.Invoke(settings) ?? settings;
        var (cluster, cloudflare, visitor) = _stage.Run(new() { OriginTls = settings }, faults);
        return new(cluster, cloudflare, known => [.. known.Origins.Select(address => new DirectOrigin(address))], visitor, _stage.Time);
    }

    [Test]
    public async Task Should_ProveEveryHostBeforeCloudflareInsists_When_Applied()
    {
        Assert.That((await Control().AuditAsync(default)).Select(finding => finding.State), Has.Some.EqualTo(ControlState.Missing));
        Assert.That(await Control().PlanAsync(default), Is.Not.Empty);
        Assert.That(_stage.Cloudflare.Writes, Is.Empty, "a plan changes nothing");

        await Control().ApplyAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(_origin.Asked, Is.EquivalentTo(["shop.example.com", "admin.example.com"]));
            Assert.That(_stage.Cloudflare.Settings, Is.EquivalentTo(new Dictionary<string, string> { ["ssl"] = "strict", ["ssl_automatic_mode"] = "custom" }));
            Assert.That((await Control().VerifyAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
            Assert.That((await Control().AuditAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty);
            Assert.That(await Control().ApplyAsync(default), Is.Empty);
            Assert.That(_stage.Cloudflare.OriginCertificates, Has.Count.EqualTo(1));
            Assert.That(_stage.Cloudflare.Wrong, Is.Empty);
        });
    }

    [Test]
    public async Task Should_NotLetCloudflareInsist_When_ANodeShowsAnotherCertificate()
    {
        _origin.IsStale = true;

        Assert.That(async () => await Control().ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("another certificate for admin.example.com"));
        Assert.That(_stage.Cloudflare.Settings["ssl"], Is.EqualTo("full"));

        _origin.IsStale = false;
        await Control().ApplyAsync(default);
        Assert.That(_stage.Cloudflare.OriginCertificates, Has.Count.EqualTo(1), "the one that was issued before is used");
    }

    [Test]
    public void Should_NameTheHostsThatWouldAnswer526_When_AProxiedNameIsNotInTheCertificate()
    {
        _stage.Cloudflare.DnsRecords.Add(new() { ["type"] = "CNAME", ["name"] = "blog.example.com", ["content"] = "other.example.net", ["proxied"] = true });

        Assert.That(async () => await Control().ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("526 for blog.example.com"));
        Assert.That(async () => await Control(change: settings => settings with { ServedElsewhere = ["blog.example.com"] }).ApplyAsync(default), Throws.Nothing);
    }

    [Test]
    public async Task Should_ReplaceTheCertificate_When_ItEndsSoon()
    {
        await Control(change: settings => settings with { ValidDays = 90 }).ApplyAsync(default);
        var first = _stage.Cloudflare.OriginCertificates[0]["certificate"]!.ToString();
        _stage.Time.Advance(TimeSpan.FromDays(70));

        var finding = (await Control().AuditAsync(default))[0];
        Assert.That(finding.State, Is.EqualTo(ControlState.Drifted));
        Assert.That(finding.Summary, Does.Contain("it ends on"));
        Assert.That(await Control().ApplyAsync(default), Is.Not.Empty);
        Assert.That((await Control().AuditAsync(default))[0].Summary, Does.Contain("valid for 29"), "issued now, for 365 days, and looked at 70 days later");
        Assert.That(OriginTlsObjects.PairOf(await _api.GetAsync(new(new("", "v1", "Secret"), "shop", "origin-tls"), default))!.Is(first), Is.False);
    }

    [Test]
    public async Task Should_RefuseWhoeverIsNotCloudflare_When_OriginPullsAreRequired()
    {
        await Control(pulls: OriginPullMode.Required).ApplyAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(_stage.Cloudflare.OriginPulls, Is.True);
            Assert.That((await new DirectOrigin(_origin.Address).AskAsync("shop.example.com", null, default)).IsAccepted, Is.False);
            Assert.That((await Control(pulls: OriginPullMode.Required).VerifyAsync(default)).Where(finding => !finding.State.IsFine()), Is.Empty);
            Assert.That(await Control(pulls: OriginPullMode.Required).ApplyAsync(default), Is.Empty);
        });

        await Control(pulls: OriginPullMode.Off).ApplyAsync(default);

        Assert.That(_stage.Cloudflare.OriginPulls, Is.False);
        Assert.That(_stage.Cloudflare.ClientCertificates, Is.Empty);
        Assert.That((await new DirectOrigin(_origin.Address).AskAsync("shop.example.com", null, default)).IsAccepted, Is.True);
    }

    [Test]
    public async Task Should_LetVisitorsInAgain_When_TheyGetErrorsOnceCertificatesAreRequired()
    {
        _stage.Visitor = _ => new((HttpStatusCode)525);

        Assert.That(async () => await Control(pulls: OriginPullMode.Required).ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("525"));
        Assert.That((await new DirectOrigin(_origin.Address).AskAsync("shop.example.com", null, default)).IsAccepted, Is.True);
    }

    [Test]
    public async Task Should_PutBackWhatWasThere_When_TheSecretHeldACertificateBefore()
    {
        var former = KeyPair.NewClient("former", DateTimeOffset.UtcNow, 100);
        await _api.CreateAsync(new OriginTlsObjects("shop", new()).Secret(new(new("", "v1", "Secret"), "shop", "origin-tls"), former), default);

        await Control().ApplyAsync(default);
        await Control().UndoAsync(default);

        Assert.That(OriginTlsObjects.PairOf(await _api.GetAsync(new(new("", "v1", "Secret"), "shop", "origin-tls"), default))!.Is(former.Certificate), Is.True);
        Assert.That(_stage.Cloudflare.OriginCertificates, Is.Empty, "revoked");
    }

    [Test]
    public async Task Should_OpenTheNodesToAnotherCdn_When_CloudflareIsGoneAndDeployYamlNamesNoZone()
    {
        await Control(pulls: OriginPullMode.Required).ApplyAsync(default);
        var asked = _stage.Cloudflare.Writes.Count;
        var (cluster, cloudflare, visitor) = _stage.Run(new(), change: environment => environment with { Edge = new() { OtherRanges = ["203.0.113.0/24"] } });

        var changes = await new OriginTlsControl(cluster, cloudflare, _ => [], visitor, _stage.Time).UndoAsync(default);

        Assert.That(changes[^1].Description, Is.EqualTo("left as it is: deploy.yaml names no zone any more"));
        Assert.That((await new DirectOrigin(_origin.Address).AskAsync("shop.example.com", null, default)).IsAccepted, Is.True);
        Assert.That((await _api.ListAsync(new("", "v1", "Secret"), "shop", null, default)).Items, Is.Empty);
        Assert.That(_stage.Cloudflare.Writes, Has.Count.EqualTo(asked));
    }

    [Test]
    public Task Should_ConvergeAndUndo_When_KilledOrRefusedAtAnyWrite() =>
        Interruption.EachChangeAsync(faults => Control(faults, OriginPullMode.Required), async () =>
        {
            var ingress = await _api.GetAsync(new(IngressType, "shop", "shop"), default);
            var secrets = (await _api.ListAsync(new("", "v1", "Secret"), "shop", null, default)).Items.Select(secret => secret.ObjectName());
            var options = (await _api.ListAsync(OriginTlsObjects.OptionsType, "shop", null, default)).Items.Select(option => option.ObjectName());
            return $"{ingress!["spec"]!.ToJsonString()} {ingress["metadata"]!["annotations"]?.ToJsonString()} {string.Join(',', secrets)} {string.Join(',', options)}\n{_stage.CloudflareState()}";
        });
}
