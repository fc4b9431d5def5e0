using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.Reboots;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Sandbox;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>This repository's manifests of kured and the upgrade controller, against an API; neither of the two runs here.</summary>
public sealed class RebootsControlTests
{
    private static readonly ObjectKey Kured = new(new("apps", "v1", "DaemonSet"), "kube-system", "kured");
    private static readonly ObjectKey Controller = new(new("apps", "v1", "Deployment"), "system-upgrade", "system-upgrade-controller");
    private static readonly ObjectKey Servers = new(new("upgrade.cattle.io", "v1", "Plan"), "system-upgrade", "k3s-servers");
    private static readonly ObjectKey Plans = new(new("apiextensions.k8s.io", "v1", "CustomResourceDefinition"), null, "plans.upgrade.cattle.io");
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private volatile bool _fails;

    [SetUp]
    public async Task StartAsync()
    {
        _fails = false;
        _host = await ApiHost.StartAsync((context, next) =>
        {
            if (!_fails || !context.Request.Path.Value!.Contains("/deployments/", StringComparison.Ordinal) || context.Request.Query.ContainsKey("dryRun"))
            {
                return next(context);
            }

            context.Response.StatusCode = StatusCodes.Status500InternalServerError;
            return Task.CompletedTask;
        });
        _api = _host.Open();
        foreach (var name in new[] { "kube-system", ControlStage.App })
        {
            await _api.ApplyAsync(new JsonObject { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = name } }, default);
        }
    }

    [TearDown]
    public async Task StopAsync()
    {
        _api.Dispose();
        await _host.DisposeAsync();
    }

    [Test]
    public async Task Should_be_missing_then_applied_seen_to_run_and_undone()
    {
        var control = Control(new() { Prometheus = "http://prometheus.monitoring:9090", K3sVersion = "v1.34.6+k3s1" });
        Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
        Assert.That(await control.PlanAsync(default), Is.Not.Empty);
        Assert.That(await _api.GetAsync(Kured, default), Is.Null, "planning changes nothing");

        Assert.That(await control.ApplyAsync(default), Is.Not.Empty);
        Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
        Assert.That(await control.ApplyAsync(default), Is.Empty, "the second time");
        Assert.That((await _api.GetAsync(Servers, default)).Text("spec", "version"), Is.EqualTo("v1.34.6+k3s1"));
        Assert.That((await _api.GetAsync(Kured, default))!.ToJsonString(), Does.Contain("--prometheus-url=http://prometheus.monitoring:9090").And.Contain("--concurrency=1"));

        Assert.That((await control.VerifyAsync(default)).Select(finding => finding.State), Is.All.Not.EqualTo(ControlState.InPlace), "nothing runs yet");
        await StatusAsync(Kured, """{"currentNumberScheduled": 3, "desiredNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 3}""");
        await StatusAsync(Controller, """{"replicas": 1, "readyReplicas": 1}""");
        Assert.That((await control.VerifyAsync(default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));

        Assert.That(await control.UndoAsync(default), Is.Not.Empty);
        Assert.That(await _api.GetAsync(Kured, default), Is.Null);
        Assert.That(await _api.GetAsync(Controller, default), Is.Null);
        Assert.That(await control.UndoAsync(default), Is.Empty);
    }

    [Test]
    public async Task Should_make_no_plan_and_say_that_alerts_are_not_asked_When_neither_is_set()
    {
        var control = Control(new());
        await control.ApplyAsync(default);

        Assert.That(await _api.GetAsync(Servers, default), Is.Null);
        Assert.That((await control.AuditAsync(default)).Select(finding => finding.Summary), Has.One.Contains("whatever alerts fire"));
    }

    [Test]
    public async Task Should_take_the_plan_back_When_no_version_is_set_any_more()
    {
        await Control(new() { K3sVersion = "v1.34.6+k3s1" }).ApplyAsync(default);
        await Control(new()).ApplyAsync(default);

        Assert.That(await _api.GetAsync(Servers, default), Is.Null);
        Assert.That(await _api.GetAsync(Controller, default), Is.Not.Null);
    }

    [Test]
    public Task Should_converge_and_undo_When_killed_or_refused_at_any_change() => Interruption.EachChangeAsync(
        _host,
        api => Control(new() { K3sVersion = "v1.34.6+k3s1", Manifests = ["manifests/hardening/reboots/system-upgrade-controller.yaml", "manifests/hardening/reboots/k3s-upgrades.yaml"] }, api),
        async () => $"{await _api.GetAsync(Controller, default) is null} {await _api.GetAsync(Plans, default) is null}");

    [Test]
    public async Task Should_be_unfinished_When_an_apply_was_cut_off()
    {
        var control = Control(new());
        _fails = true;
        Assert.That(() => control.ApplyAsync(default), Throws.InstanceOf<K3sException>());
        _fails = false;

        Assert.That((await control.AuditAsync(default)).Select(finding => finding.State), Has.Some.EqualTo(ControlState.Unfinished));
    }

    private RebootsControl Control(RebootSettings settings, ClusterApi? api = null) =>
        new(ControlStage.Cluster(api ?? _api, new() { Reboots = settings }, TestSandbox.RepositoryRoot), ControlStage.Loader, TimeProvider.System);

    private Task StatusAsync(ObjectKey key, string status) =>
        _api.PatchAsync(key, PatchType.Merge, new JsonObject { ["status"] = JsonNode.Parse(status) }, default, new() { Subresource = "status" });
}
