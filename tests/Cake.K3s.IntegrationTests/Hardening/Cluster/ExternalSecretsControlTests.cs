using System.Collections.Immutable;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.Charts;
using Cake.K3s.Hardening.Cluster.ExternalSecrets;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Http;
using RecordingReporter = Cake.K3s.IntegrationTests.Images.Fixtures.RecordingReporter;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The sample's Secret, with stand-ins for Vault's HTTP API, for the operator and for the Helm controller.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ExternalSecretsControlTests : IAsyncDisposable
{
    private static readonly ObjectKey Database = new(new("", "v1", "Secret"), "shop", "database");
    private static readonly ObjectKey External = new(new("external-secrets.io", "v1", "ExternalSecret"), "shop", "database");
    private readonly VaultStandIn _vault = new();
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private HelmStandIn _helm = null!;
    private volatile bool _fails;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await ApiHost.StartAsync((context, next) =>
        {
            if (_fails && context.Request.Method == "PATCH" && context.Request.Path.Value!.Contains("/secretstores/") && !context.Request.Query.ContainsKey("dryRun"))
            {
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return Task.CompletedTask;
            }

            return next(context);
        });
        _api = _host.Open();
        await CustomTypes.DefineAsync(_api, "helm.cattle.io");
        foreach (var ns in new[] { "shop", "kube-system" })
        {
            await _api.ApplyAsync(Node($$$"""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "{{{ns}}}"} }"""), default, new() { Force = true });
        }

        // As a deploy has made it, with a key that is not Vault's.
        await _api.ApplyAsync(Node("""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database", "namespace": "shop"}, "data": {"DATABASE_URL": "b2xk", "OTHER": "a2VlcA=="} }"""), default);
        _helm = new(_api, "external-secrets.io");
    }

    public async ValueTask DisposeAsync()
    {
        await (_helm?.DisposeAsync() ?? default);
        _api?.Dispose();
        _vault.Dispose();
        await (_host?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_follow_Vault_and_leave_the_Secret_when_it_is_undone()
    {
        var control = Control(_api);
        var before = await control.AuditAsync(default);
        await control.ApplyAsync(default);
        var early = (await api(External)).ToJsonString();
        await OperateAsync();
        var proof = await control.VerifyAsync(default);
        var again = await control.ApplyAsync(default);
        await control.UndoAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(before.Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That(early, Does.Contain("\"creationPolicy\":\"Merge\"").And.Contain("\"deletionPolicy\":\"Retain\""));
            Assert.That(proof.Select(finding => $"{finding.State} {finding.Summary}"), Has.Some.EqualTo("InPlace its 1 values are Vault's"));
            Assert.That(again, Is.Empty);
            Assert.That((await _api.GetAsync(Database, default)).Text("data", "DATABASE_URL"), Is.EqualTo(Encode(_vault.Value)), "it stays");
            Assert.That((await _api.GetAsync(Database, default)).Text("data", "OTHER"), Is.EqualTo("a2VlcA=="));
            Assert.That(await _api.GetAsync(new(Database.Type, "shop", "shop-vault"), default), Is.Null, "the token goes");
        });

        async Task<JsonObject> api(ObjectKey key) => (await _api.GetAsync(key, default))!;
    }

    [Test]
    public async Task Should_tell_that_a_value_is_not_Vaults_without_telling_the_value()
    {
        var control = Control(_api, TimeSpan.FromHours(1));
        await control.ApplyAsync(default);
        await OperateAsync();
        _vault.Value = "rotated-value";

        var proof = await control.VerifyAsync(default);

        Assert.That(proof[^1].State, Is.EqualTo(ControlState.Drifted));
        Assert.That(proof[^1].Evidence, Is.EqualTo(new[] { "DATABASE_URL: it is not Vault's DATABASE_URL" }));
    }

    [Test]
    public async Task Should_apply_nothing_when_Vault_lacks_a_value_or_is_sealed()
    {
        _vault.Property = "ANOTHER";
        Assert.That(async () => await Control(_api).ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("has no DATABASE_URL"));
        _vault.Status = HttpStatusCode.ServiceUnavailable;
        Assert.That(async () => await Control(_api).ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("HTTP 503"));
        Assert.That(await _api.GetAsync(new(ChartInstaller.ChartType, "kube-system", "external-secrets"), default), Is.Null);
    }

    [Test]
    public async Task Should_converge_when_the_API_failed_in_the_middle()
    {
        _fails = true;
        Assert.That(async () => await Control(_api).ApplyAsync(default), Throws.InstanceOf<K3sException>());
        _fails = false;

        await Control(_api).ApplyAsync(default);

        Assert.That((await Control(_api).AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
    }

    [Test]
    public Task Should_converge_and_undo_when_killed_at_any_change() => Interruption.EachChangeAsync(_host, api => Control(api), async () =>
        string.Join(' ', (await _api.ListAsync(Database.Type, "shop", null, default)).Items.Select(item => item.ObjectName()).Where(name => !name!.Contains("journal"))));

    private ExternalSecretsControl Control(ClusterApi api, TimeSpan step = default)
    {
        var settings = new ExternalSecretsSettings { Vault = "https://vault.test", Path = "shop/test", Token = new() { Variable = "VAULT_TOKEN" } };
        var cluster = ControlStage.Cluster(
            api,
            new() { ExternalSecrets = settings },
            TestSandbox.RepositoryRoot,
            settings: deploy => deploy with
            {
                Manifests = ["manifests/app/configuration.yaml"],
                Environments = deploy.Environments.SetItem("test", deploy.Environments["test"] with
                {
                    Secrets = ImmutableDictionary<string, SecretSource>.Empty.Add("DATABASE_URL", new() { Variable = "DATABASE_URL" }),
                }),
            });
        var mask = new SecretMask();
        var reader = new SecretReader(new EnvironmentVariables(name => name == "VAULT_TOKEN" ? VaultStandIn.Token : null), new CommandRunner(mask, TimeProvider.System), mask);
        return new(
            cluster,
            ControlStage.Loader,
            new ChartInstaller(new RolloutWatcher(TimeProvider.System, new RecordingReporter()), TimeProvider.System),
            reader,
            new VaultReader(new HttpClient(_vault, disposeHandler: false)),
            step == default ? TimeProvider.System : new SteppingTime(step));
    }

    /// <summary>Does what the operator does: writes the keys into the Secret under its own name, and says that it is ready.</summary>
    private async Task OperateAsync()
    {
        await _api.ApplyAsync(
            Node($$$"""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "database", "namespace": "shop"}, "data": {"DATABASE_URL": "{{{Encode(_vault.Value)}}}"} }"""),
            default,
            new() { FieldManager = "external-secrets", Force = true });
        await _api.PatchAsync(
            External, PatchType.Merge, Node("""{"status": {"conditions": [{"type": "Ready", "status": "True", "reason": "SecretSynced"}]}}"""), default, new() { Subresource = "status" });
    }

    private static string Encode(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();

    /// <summary>Vault's key-value engine, version 2, with one secret.</summary>
    private sealed class VaultStandIn : HttpMessageHandler
    {
        public const string Token = "hvs.test";

        public string Property { get; set; } = "DATABASE_URL";

        public string Value { get; set; } = "postgres://shop@db";

        public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var known = request.Method == HttpMethod.Get && request.RequestUri!.AbsoluteUri == "https://vault.test/v1/secret/data/shop/test";
            var status = Status != HttpStatusCode.OK ? Status
                : !request.Headers.TryGetValues("X-Vault-Token", out var tokens) || tokens.Single() != Token ? HttpStatusCode.Forbidden
                : known ? HttpStatusCode.OK : HttpStatusCode.NotFound;
            var body = status == HttpStatusCode.OK
                ? new JsonObject
                {
                    ["request_id"] = "1",
                    ["data"] = new JsonObject { ["data"] = new JsonObject { [Property] = Value }, ["metadata"] = new JsonObject { ["version"] = 1, ["destroyed"] = false } },
                }
                : new JsonObject { ["errors"] = new JsonArray() };
            return Task.FromResult(new HttpResponseMessage(status) { Content = new StringContent(body.ToJsonString()) });
        }
    }

    /// <summary>A clock that is later by a step whenever it is read, and for which nobody waits.</summary>
    private sealed class SteppingTime(TimeSpan step) : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => Interlocked.Add(ref _now, (long)(step.TotalSeconds * TimestampFrequency));
    }
}
