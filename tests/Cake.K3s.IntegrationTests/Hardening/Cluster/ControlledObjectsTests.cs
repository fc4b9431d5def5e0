using System.Text.Json.Nodes;
using Cake.K3s.Hardening;
using Cake.K3s.Hardening.Cluster.Objects;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Tests.Edge;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

internal sealed class ControlledObjectsTests
{
    private const string Control = "Example";

    private static readonly GroupVersionKind DeploymentType = new("apps", "v1", "Deployment");
    private static readonly GroupVersionKind ConfigMapType = new("", "v1", "ConfigMap");
    private ApiHost _host = null!;
    private ClusterApi _api = null!;
    private volatile bool _fails;

    [SetUp]
    public async Task StartAsync()
    {
        _fails = false;
        _host = await ApiHost.StartAsync((context, next) =>
        {
            if (_fails && context.Request.Method == "PATCH" && !context.Request.Query.ContainsKey("dryRun") && context.Request.Path.Value!.Contains("/configmaps/"))
            {
                context.Response.StatusCode = StatusCodes.Status500InternalServerError;
                return Task.CompletedTask;
            }

            return next(context);
        });
        _api = _host.Open();
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}"""), default);

        // As a deploy leaves it.
        await _api.ApplyAsync(Deployed(), default);
    }

    [TearDown]
    public async Task StopAsync()
    {
        _api.Dispose();
        await _host.DisposeAsync();
    }

    private static JsonObject Node(string json) => JsonNode.Parse(json)!.AsObject();

    private static JsonObject Deployed() => Node("""
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop", "annotations": {"note": "old"}},
         "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": {"metadata": {"labels": {"app": "api"}},
         "spec": {"containers": [{"name": "main", "image": "r/api:1", "env": [{"name": "LEVEL", "value": "1"}, {"name": "KEPT", "value": "k"}]}]}}}}
        """);

    /// <summary>An object of its own, and fields of the deployment: one that is added, and two whose values were others before.</summary>
    private static List<JsonObject> Desired() =>
    [
        Node("""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "namespace": "shop"}, "data": {"value": "new"}}"""),
        Node("""
            {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "namespace": "shop", "annotations": {"note": "new"}},
             "spec": {"template": {"spec": {"containers": [{"name": "main", "env": [{"name": "LEVEL", "value": "2"}, {"name": "ADDED", "value": "a"}]}]}}}}
            """),
    ];

    private ControlledObjects Objects(ClusterApi? api = null) => new(api ?? _api, "shop", Control, TimeProvider.System);

    [Test]
    public async Task Should_go_from_missing_to_in_place_and_change_nothing_when_applied_again()
    {
        var before = await Objects().AuditAsync(Desired(), default);
        var plan = await Objects().PlanAsync(Desired(), default);
        var first = await Objects().ApplyAsync(Desired(), default);
        var version = (await DeploymentAsync()).ResourceVersion();
        var second = await Objects().ApplyAsync(Desired(), default);

        Assert.Multiple(async () =>
        {
            Assert.That(before.Select(finding => finding.State), Is.All.EqualTo(ControlState.Missing));
            Assert.That(first, Is.EqualTo(plan));
            Assert.That(first[1].Difference, Does.Contain("LEVEL").And.Contain("1 → 2"));
            Assert.That(second, Is.Empty);
            Assert.That((await DeploymentAsync()).ResourceVersion(), Is.EqualTo(version));
            Assert.That((await Objects().AuditAsync(Desired(), default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
        });
    }

    [Test]
    public async Task Should_bring_back_what_was_before_when_undone()
    {
        var before = await StateAsync();
        await Objects().ApplyAsync(Desired(), default);

        await Objects().UndoAsync(default);

        Assert.Multiple(async () =>
        {
            Assert.That(await StateAsync(), Is.EqualTo(before));
            Assert.That(await Objects().UndoAsync(default), Is.Empty);
            Assert.That((await _api.ListAsync(new("", "v1", "Secret"), "shop", null, default)).Items, Is.Empty, "no journal is left");
        });
    }

    [Test]
    public async Task Should_leave_restored_fields_to_the_next_deploy_when_undone()
    {
        await Objects().ApplyAsync(Desired(), default);
        await Objects().UndoAsync(default);

        var next = Deployed();
        next["metadata"]!["annotations"]!["note"] = "newest";

        Assert.That(async () => await _api.ApplyAsync(next, default), Throws.Nothing);
    }

    [Test]
    public async Task Should_stay_in_place_when_the_app_is_deployed_again()
    {
        await Objects().ApplyAsync(Desired(), default);

        var next = Deployed();
        next["metadata"]!.AsObject().Remove("annotations");
        next["spec"]!["template"]!["spec"]!["containers"]![0]!["image"] = "r/api:2";
        next["spec"]!["template"]!["spec"]!["containers"]![0]!["env"]!.AsArray().RemoveAt(0);
        await _api.ApplyAsync(next, default);

        Assert.That((await Objects().AuditAsync(Desired(), default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
    }

    [Test]
    public async Task Should_call_it_drift_and_name_the_field_when_somebody_changes_it()
    {
        await Objects().ApplyAsync(Desired(), default);
        await _api.PatchAsync(new(ConfigMapType, "shop", "own"), PatchType.Merge, Node("""{"data": {"value": "theirs"}}"""), default, new() { FieldManager = "kubectl-edit" });

        var finding = (await Objects().AuditAsync(Desired(), default))[0];

        Assert.Multiple(() =>
        {
            Assert.That(finding.State, Is.EqualTo(ControlState.Drifted));
            Assert.That(finding.Target, Is.EqualTo("shop/own"));
            Assert.That(finding.Evidence, Is.EqualTo(["data.value: theirs → new"]));
        });
    }

    [Test]
    public async Task Should_take_back_what_is_no_longer_wanted()
    {
        await Objects().ApplyAsync(Desired(), default);

        var changes = await Objects().ApplyAsync([Desired()[1]], default);

        Assert.Multiple(async () =>
        {
            Assert.That(changes.Single().Description, Does.Contain("ConfigMap/own"));
            Assert.That(await _api.GetAsync(new(ConfigMapType, "shop", "own"), default), Is.Null);
        });
    }

    [Test]
    public async Task Should_leave_an_object_that_somebody_else_made_anew()
    {
        await Objects().ApplyAsync(Desired(), default);
        await _api.DeleteAsync(new(ConfigMapType, "shop", "own"), default);
        await _api.CreateAsync(Node("""{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "namespace": "shop"}}"""), default);

        await Objects().UndoAsync(default);

        Assert.That(await _api.GetAsync(new(ConfigMapType, "shop", "own"), default), Is.Not.Null);
    }

    [Test]
    public async Task Should_never_show_the_values_of_a_secret()
    {
        var secret = Node("""{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "own", "namespace": "shop"}, "data": {"password": "aHVudGVyMg=="}}""");
        await Objects().ApplyAsync([secret], default);
        secret["data"]!["password"] = "b3RoZXI=";

        var shown = string.Join('\n', (await Objects().PlanAsync([secret], default)).Select(change => $"{change.Description}\n{change.Difference}"));

        Assert.That(shown, Does.Contain("(secret) changed").And.Not.Contain("aHVudGVyMg").And.Not.Contain("b3RoZXI"));
    }

    [Test]
    public async Task Should_say_what_is_missing_when_the_cluster_does_not_know_a_type()
    {
        List<JsonObject> desired = [Node("""{"apiVersion": "traefik.io/v1alpha1", "kind": "Middleware", "metadata": {"name": "m", "namespace": "shop"}, "spec": {}}""")];

        Assert.Multiple(async () =>
        {
            Assert.That((await Objects().AuditAsync(desired, default)).Single().Summary, Does.Contain("Middleware"));
            Assert.That(async () => await Objects().ApplyAsync(desired, default), Throws.TypeOf<K3sException>());
            Assert.That(await Objects().JournalAsync(default), Is.Null);
        });
    }

    [Test]
    public async Task Should_converge_when_the_API_failed_in_the_middle()
    {
        await Objects().ApplyAsync([Desired()[1]], default);
        _fails = true;
        Assert.That(async () => await Objects().ApplyAsync(Desired(), default), Throws.InstanceOf<K3sException>());
        Assert.That((await Objects().AuditAsync(Desired(), default))[0].State, Is.EqualTo(ControlState.Unfinished));
        _fails = false;

        await Objects().ApplyAsync(Desired(), default);

        Assert.That((await Objects().AuditAsync(Desired(), default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace));
    }

    /// <summary>Killed at every change in turn, before and after the API has carried it out.</summary>
    [Test]
    public async Task Should_converge_and_still_undo_when_killed_at_any_change([Values] FaultKind kind)
    {
        var before = await StateAsync();
        for (var write = 1; ; write++)
        {
            if (!await StruckAsync(write, kind, objects => objects.ApplyAsync(Desired(), default)))
            {
                Assert.That(write, Is.GreaterThan(4), "each change was cut once");
                break;
            }

            await Objects().ApplyAsync(Desired(), default);
            Assert.That((await Objects().AuditAsync(Desired(), default)).Select(finding => finding.State), Is.All.EqualTo(ControlState.InPlace), $"after write {write}");
            await Objects().UndoAsync(default);
            Assert.That(await StateAsync(), Is.EqualTo(before), $"after write {write}");
        }
    }

    [Test]
    public async Task Should_finish_an_undo_that_was_killed_at_any_change([Values] FaultKind kind)
    {
        var before = await StateAsync();
        for (var write = 1; ; write++)
        {
            await Objects().ApplyAsync(Desired(), default);
            if (!await StruckAsync(write, kind, objects => objects.UndoAsync(default)))
            {
                Assert.That(write, Is.GreaterThan(4), "each change was cut once");
                break;
            }

            await Objects().UndoAsync(default);
            Assert.That(await StateAsync(), Is.EqualTo(before), $"after write {write}");
        }
    }

    private async Task<bool> StruckAsync(int write, FaultKind kind, Func<ControlledObjects, Task> work)
    {
        var faults = new Faults(write, kind);
        using var api = _host.Open(faults);
        try
        {
            await work(Objects(api));
        }
        catch (Exception struck) when (struck is KilledException || (faults.Struck && struck is K3sException))
        {
            // As meant.
        }

        return faults.Struck;
    }

    private async Task<JsonObject> DeploymentAsync() => (await _api.GetAsync(new(DeploymentType, "shop", "api"), default))!;

    /// <summary>All that a person sees of the objects.</summary>
    private async Task<string> StateAsync()
    {
        var deployment = await DeploymentAsync();
        foreach (var kept in (string[])["managedFields", "resourceVersion", "generation"])
        {
            deployment["metadata"]!.AsObject().Remove(kept);
        }

        return deployment.ToJsonString() + (await _api.GetAsync(new(ConfigMapType, "shop", "own"), default))?.ToJsonString();
    }
}
