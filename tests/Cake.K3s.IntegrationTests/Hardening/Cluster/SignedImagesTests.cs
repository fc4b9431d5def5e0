using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.SignedImages;
using Cake.K3s.Hardening.Cluster.Webhooks;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Http;
using RecordingReporter = Cake.K3s.IntegrationTests.Images.Fixtures.RecordingReporter;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>The control on the sandbox's API, which evaluates the admission policy; of Kyverno only the types are there, as a stand-in.</summary>
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
[Parallelizable(ParallelScope.All)]
internal sealed class SignedImagesTests : IAsyncDisposable
{
    private const string Own = "registry.example/shop/";
    private static readonly string Digest = "@sha256:" + new string('a', 64);
    private static readonly GroupVersionKind Bindings = new("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding");
    private static readonly GroupVersionKind PodType = new("", "v1", "Pod");
    private readonly RecordingReporter _reporter = new();
    private App _app = null!;
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private ClusterConnector _connector = null!;
    private volatile bool _fails;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await ApiHost.StartAsync((context, next) =>
        {
            if (!_fails || context.Request.Method != "PATCH" || !context.Request.Path.Value!.Contains("/validatingadmissionpolicybindings/") || context.Request.Query.ContainsKey("dryRun"))
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        });
        _api = _host.Open();
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "elsewhere"}}"""), default);
        _connector = new ClusterConnector(_reporter, TimeProvider.System);
        _app = App.Create(new("registry.example", "shop", Insecure: false, "/nowhere"), "api");
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _app.Files.Write("cosign.pub", key.ExportSubjectPublicKeyInfoPem());
        var kubeconfig = _app.Files.Write("kubeconfig", $$"""
            apiVersion: v1
            kind: Config
            current-context: test
            contexts: [{name: test, context: {cluster: test, user: test} }]
            clusters: [{name: test, cluster: {server: "{{_host.Address}}"} }]
            users: [{name: test, user: {token: any} }]
            """);
        _app.Environment = _app.Environment with { Cluster = new(kubeconfig, null, "shop") };
    }

    public async ValueTask DisposeAsync()
    {
        _connector?.Dispose();
        _api?.Dispose();
        _app?.Dispose();
        await (_host?.DisposeAsync() ?? default);
    }

    [Test]
    public async Task Should_refuse_an_unpinned_or_foreign_image_and_take_ours_When_applied()
    {
        var control = Control(new() { Registries = ["docker.io/library"] });
        await control.ApplyAsync(default);

        foreach (var workload in new[] { Pod("shop", Own + "api:1"), Deployment("shop", Own + "api:1"), CronJob("shop", Own + "api:1") })
        {
            Assert.That(() => _api.CreateAsync(workload, default), Throws.TypeOf<KubernetesApiException>().With.Message.Contains($"images must be pinned by digest: {Own}api:1"));
        }

        Assert.That(
            () => _api.CreateAsync(Pod("shop", "registry.example/shopping/api" + Digest), default),
            Throws.TypeOf<KubernetesApiException>().With.Message.Contains("images must come from registry.example/shop/ or docker.io/library/: registry.example/shopping/api"));
        await _api.CreateAsync(Pod("shop", Own + "api" + Digest, name: "own"), default);
        await _api.CreateAsync(Deployment("shop", "docker.io/library/redis" + Digest), default);
        await _api.CreateAsync(CronJob("shop", Own + "api" + Digest), default);
        await _api.CreateAsync(Pod("elsewhere", "anything:latest"), default);
        Assert.That(await StatesAsync(control.VerifyAsync), Is.All.EqualTo(ControlState.InPlace));
    }

    [Test]
    public async Task Should_refuse_an_unpinned_init_container_When_applied()
    {
        await Control(new()).ApplyAsync(default);
        var pod = Pod("shop", Own + "api" + Digest);
        pod["spec"]!["initContainers"] = new JsonArray(new JsonObject { ["name"] = "init", ["image"] = "busybox" });

        Assert.That(() => _api.CreateAsync(pod, default), Throws.TypeOf<KubernetesApiException>().With.Message.Contains("images must be pinned by digest: busybox"));
    }

    [Test]
    public async Task Should_let_what_was_there_before_be_changed_but_get_no_new_image_When_applied()
    {
        var control = Control(new());
        await control.ApplyAsync(default);
        await control.UndoAsync(default);
        await _api.CreateAsync(Deployment("shop", "old:1"), default);
        await control.ApplyAsync(default);

        var key = new ObjectKey(new("apps", "v1", "Deployment"), "shop", "web");
        await _api.PatchAsync(key, PatchType.Merge, Node("""{"spec": {"replicas": 2}}"""), default);
        Assert.That(
            () => _api.PatchAsync(key, PatchType.Merge, Node("""{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "old:2"}]}}}}"""), default),
            Throws.TypeOf<KubernetesApiException>().With.Message.Contains("images must be pinned by digest: old:2"));
    }

    [Test]
    public async Task Should_go_from_missing_to_in_place_and_leave_nothing_When_applied_twice_and_undone()
    {
        var control = Control(new());

        Assert.That(await StatesAsync(control.AuditAsync), Is.All.EqualTo(ControlState.Missing));
        Assert.That(await StatesAsync(control.VerifyAsync), Is.All.EqualTo(ControlState.Missing));
        Assert.That(await control.ApplyAsync(default), Has.Length.EqualTo(2));
        Assert.That(await control.ApplyAsync(default), Is.Empty);
        Assert.That(await StatesAsync(control.AuditAsync), Is.All.EqualTo(ControlState.InPlace));
        await control.UndoAsync(default);
        Assert.That(await StatesAsync(control.AuditAsync), Is.All.EqualTo(ControlState.Missing));
        await _api.CreateAsync(Pod("shop", "anything:latest"), default);
    }

    [Test]
    public async Task Should_apply_nothing_and_name_the_image_When_something_runs_that_would_be_refused()
    {
        await _api.CreateAsync(Pod("shop", "old:1"), default);

        Assert.That(() => Control(new()).ApplyAsync(default), Throws.TypeOf<K3sException>().With.Message.Contains("old:1: it is not pinned by digest"));
        Assert.That(await StatesAsync(Control(new()).AuditAsync), Has.Some.EqualTo(ControlState.Missing));
    }

    [Test]
    public async Task Should_be_not_applicable_When_it_is_not_configured()
    {
        Assert.That(await StatesAsync(Control(null).AuditAsync), Is.EqualTo(new[] { ControlState.NotApplicable }));
        Assert.That(await Control(null).ApplyAsync(default), Is.Empty);
    }

    [TestCase("policies.kyverno.io", "ImageValidatingPolicy")]
    [TestCase("kyverno.io", "ClusterPolicy")]
    public async Task Should_apply_the_policy_of_the_Kyverno_that_is_there_with_both_keys_When_a_rotation_goes_on(string group, string kind)
    {
        await CustomTypes.DefineAsync(_api, group);
        using var old = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        _app.Files.Write("cosign.previous.pub", old.ExportSubjectPublicKeyInfoPem());

        await Control(new() { Kyverno = KyvernoAction.Audit }).ApplyAsync(default);
        var audit = (await _api.GetAsync(new(new(group, "v1", kind), null, "shop-signed-images"), default))!.ToJsonString();
        await Control(new() { Kyverno = KyvernoAction.Deny }).ApplyAsync(default);
        var deny = (await _api.GetAsync(new(new(group, "v1", kind), null, "shop-signed-images"), default))!.ToJsonString();

        Assert.That(audit, Does.Contain("\"Audit\"").And.Contain("\"Ignore\"").And.Contain(Own + "*"));
        Assert.That(audit.Split("BEGIN PUBLIC KEY"), Has.Length.EqualTo(3));
        Assert.That(deny, Does.Match("\"Deny\"|\"Enforce\"").And.Contain("\"Fail\""));
    }

    [Test]
    public void Should_say_that_there_is_no_Kyverno_When_it_is_asked_for() =>
        Assert.That(
            () => Control(new() { Kyverno = KyvernoAction.Audit }).ApplyAsync(default),
            Throws.TypeOf<K3sException>().With.Message.Contains("no Kyverno").And.Property(nameof(K3sException.ExitCode)).EqualTo(ExitCodes.RequirementMissing));

    [Test]
    public async Task Should_delete_the_webhook_that_nobody_answers_for_and_keep_a_copy_When_confirmed()
    {
        await _api.CreateAsync(Webhook("dead", "kyverno", "gone"), default);
        await _api.CreateAsync(Webhook("alive", "kyverno", "here"), default);
        await _api.CreateAsync(Webhook("lenient", "kyverno", "gone", "Ignore"), default);
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kyverno"}}"""), default);
        await _api.CreateAsync(
            Node("""
                {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
                 "metadata": {"name": "here-1", "namespace": "kyverno", "labels": {"kubernetes.io/service-name": "here"}},
                 "endpoints": [{"addresses": ["10.42.0.9"], "conditions": {"ready": true}}]}
                """),
            default);

        await RecoverAsync(confirm: false);
        Assert.That(await WebhooksAsync(), Is.EquivalentTo(new[] { "dead", "alive", "lenient" }));
        await RecoverAsync(confirm: true);

        Assert.That(await WebhooksAsync(), Is.EquivalentTo(new[] { "alive", "lenient" }));
        Assert.That(_reporter.Lines, Has.Some.Contains("dead must be asked, and its service kyverno/gone has no endpoint that is ready"));
        var copy = Path.Combine(_app.Root, "artifacts", "webhooks", "ValidatingWebhookConfiguration-dead.json");
        await _api.CreateAsync(Node(await File.ReadAllTextAsync(copy)), default);
    }

    [Test]
    public async Task Should_converge_when_the_API_failed_in_the_middle()
    {
        _fails = true;
        Assert.That(async () => await Control(new()).ApplyAsync(default), Throws.InstanceOf<K3sException>());
        _fails = false;

        await Control(new()).ApplyAsync(default);

        Assert.That(await StatesAsync(Control(new()).AuditAsync), Is.All.EqualTo(ControlState.InPlace));
    }

    [Test]
    public Task Should_converge_and_undo_when_killed_at_any_change() => Interruption.EachChangeAsync(_host, api => Control(new(), api), async () =>
        string.Join(' ', (await _api.ListAsync(new("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"), null, null, default)).Items
            .Concat((await _api.ListAsync(Bindings, null, null, default)).Items).Select(item => item.ObjectName())));

    private SignedImagesControl Control(SignedImagesSettings? settings, ClusterApi? api = null)
    {
        var environment = _app.Settings.Environments["test"];
        environment = environment with { Hardening = environment.Hardening with { SignedImages = settings } };
        var run = new PipelineRun(_app.Run.Options, _app.Settings with { Environments = _app.Settings.Environments.SetItem("test", environment) }, _app.Environment);
        return new(new(run, api is null ? _connector.OpenAsync : (_, _) => Task.FromResult(api), TimeProvider.System), new ImageGate(run, Registries.Clients(_reporter), _reporter));
    }

    private Task RecoverAsync(bool confirm) => new WebhookRecovery(
        new(_app.Run.Options with { Confirm = confirm }, _app.Settings, _app.Environment), _connector, _reporter).RecoverAsync();

    private async Task<IEnumerable<string?>> WebhooksAsync() =>
        (await _api.ListAsync(new("admissionregistration.k8s.io", "v1", "ValidatingWebhookConfiguration"), null, null, default)).Items.Select(item => item.ObjectName());

    private static async Task<IEnumerable<ControlState>> StatesAsync(Func<CancellationToken, Task<ImmutableArray<Finding>>> read) =>
        (await read(default)).Select(finding => finding.State);

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();

    private static JsonObject Pod(string ns, string image, string name = "probe") => Node(
        $$$"""{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "{{{name}}}", "namespace": "{{{ns}}}"}, "spec": {"containers": [{"name": "main", "image": "{{{image}}}"}]}}""");

    private static JsonObject Deployment(string ns, string image) => Node($$$"""
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "{{{ns}}}"},
         "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "main", "image": "{{{image}}}"}]} } } }
        """);

    private static JsonObject CronJob(string ns, string image) => Node($$$"""
        {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "nightly", "namespace": "{{{ns}}}"},
         "spec": {"schedule": "0 3 * * *", "jobTemplate": {"spec": {"template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "main", "image": "{{{image}}}"}]} } } } } }
        """);

    private static JsonObject Webhook(string name, string ns, string service, string failurePolicy = "Fail") => Node($$$"""
        {"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "{{{name}}}"},
         "webhooks": [{"name": "{{{name}}}.example.com", "failurePolicy": "{{{failurePolicy}}}", "sideEffects": "None", "admissionReviewVersions": ["v1"],
          "clientConfig": {"service": {"namespace": "{{{ns}}}", "name": "{{{service}}}", "path": "/"}},
          "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["secrets"]}]}]}
        """);
}
