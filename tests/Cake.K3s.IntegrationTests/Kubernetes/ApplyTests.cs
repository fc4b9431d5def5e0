using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Planning;
using Cake.K3s.Settings;

namespace Cake.K3s.IntegrationTests.Kubernetes;

public sealed class ApplyTests
{
    private const string App = """
        apiVersion: v1
        kind: Namespace
        metadata: {name: shop}
        ---
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: settings}
        data: {level: "1"}
        ---
        apiVersion: v1
        kind: Secret
        metadata: {name: database}
        stringData: {url: postgres://u:p@h/d}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: api}
        spec: {selector: {app: api}, ports: [{name: http, port: 80, targetPort: 8000}]}
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api}
        spec:
          replicas: 2
          selector: {matchLabels: {app: api}}
          template:
            metadata: {labels: {app: api}}
            spec:
              containers:
                - name: api
                  image: r/api@sha256:01
                  ports: [{containerPort: 8000}]
                  resources: {requests: {cpu: 50m, memory: 64Mi}, limits: {memory: 64Mi}}
        """;

    private readonly ApplySet _set = new("shop", "shop");
    private readonly RecordingReporter _reporter = new();
    private ApiHost _host = null!;
    private ClusterApi _api = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await ApiHost.StartAsync();
        _api = _host.Open();
    }

    [TearDown]
    public async Task StopAsync()
    {
        _api.Dispose();
        await _host.DisposeAsync();
    }

    private static ImmutableArray<Manifest> Manifests(string yaml) => [.. ManifestParser.Parse(
        yaml,
        "app.yaml",
        new()
        {
            Root = "/",
            SettingsFile = "deploy.yaml",
            Paths = [],
            Namespace = "shop",
            Variables = ImmutableDictionary<string, string>.Empty,
            Secrets = ImmutableDictionary<string, Secret?>.Empty,
            Images = ImmutableDictionary<string, string?>.Empty,
        })];

    private Task<DeployPlan> PlanAsync(string yaml, bool force = false) => Rehearsal.PlanAsync(_api, _set, Manifests(yaml), force, default);

    private async Task<DeployPlan> ApplyAsync(string yaml, bool force = false)
    {
        var plan = await PlanAsync(yaml, force);
        await new Applier(_reporter, TimeProvider.System).ApplyAsync(_api, plan, default);
        return plan;
    }

    private static string[] Changes(DeployPlan plan) =>
        [.. plan.Objects.Where(planned => planned.Change != PlannedChange.None).Select(planned => $"{planned.Change} {planned.Key}")];

    private static ObjectKey Key(string apiVersion, string kind, string name) => new(GroupVersionKind.Of(apiVersion, kind), "shop", name);

    private static readonly ObjectKey DeploymentKey = Key("apps/v1", "Deployment", "api");

    [Test]
    public async Task Should_make_all_objects_and_then_find_nothing_to_change()
    {
        var first = await ApplyAsync(App);
        var before = (await _api.GetAsync(DeploymentKey, default)).ResourceVersion();

        var second = await ApplyAsync(App);

        Assert.That(Changes(first), Has.Length.EqualTo(5));
        Assert.That(Changes(second), Is.Empty);
        Assert.That((await _api.GetAsync(DeploymentKey, default)).ResourceVersion(), Is.EqualTo(before));
        Assert.That((await _api.GetAsync(Key("v1", "Secret", "database"), default)).Text("data", "url"), Is.EqualTo(Convert.ToBase64String("postgres://u:p@h/d"u8)));
    }

    [Test]
    public async Task Should_foretell_each_field_that_changes_and_change_nothing_yet()
    {
        await ApplyAsync(App);

        var plan = await PlanAsync(App.Replace("sha256:01", "sha256:02").Replace("level: \"1\"", "level: \"2\""));

        Assert.That(Changes(plan), Is.EqualTo(new[] { "Update ConfigMap/settings", "Update Deployment/api" }));
        Assert.That(
            plan.Objects.SelectMany(planned => planned.Fields).Select(field => $"{field.Path}: {field.Before} → {field.After}"),
            Is.EqualTo(new[] { "data.level: 1 → 2", "spec.template.spec.containers[api].image: r/api@sha256:01 → r/api@sha256:02" }));
        Assert.That((await _api.GetAsync(Key("v1", "ConfigMap", "settings"), default)).Text("data", "level"), Is.EqualTo("1"));
    }

    [Test]
    public async Task Should_remove_a_field_that_is_no_longer_in_the_manifest()
    {
        await ApplyAsync(App.Replace("{level: \"1\"}", "{level: \"1\", old: x}"));

        await ApplyAsync(App);

        Assert.That((await _api.GetAsync(Key("v1", "ConfigMap", "settings"), default)).At("data", "old"), Is.Null);
    }

    [Test]
    public async Task Should_name_field_and_owner_and_change_nothing_When_another_took_a_field()
    {
        await ApplyAsync(App);
        await _api.PatchAsync(DeploymentKey, PatchType.Merge, JsonNode.Parse("""{"spec":{"replicas":5}}""")!, default, new() { FieldManager = "kubectl-scale" });

        var refusal = Assert.ThrowsAsync<K3sException>(() => ApplyAsync(App.Replace("level: \"1\"", "level: \"2\"")));

        Assert.That(refusal!.Details.Single(), Does.Contain("Deployment/api: .spec.replicas is owned by \"kubectl-scale\""));
        Assert.That(refusal.NextStep, Does.Contain("--force-conflicts"));
        Assert.That((await _api.GetAsync(Key("v1", "ConfigMap", "settings"), default)).Text("data", "level"), Is.EqualTo("1"));
    }

    [Test]
    public async Task Should_take_the_field_back_When_told_to()
    {
        await ApplyAsync(App);
        await _api.PatchAsync(DeploymentKey, PatchType.Merge, JsonNode.Parse("""{"spec":{"replicas":5}}""")!, default, new() { FieldManager = "kubectl-scale" });

        await ApplyAsync(App, force: true);

        Assert.That((await _api.GetAsync(DeploymentKey, default)).Number("spec", "replicas"), Is.EqualTo(2));
    }

    [Test]
    public async Task Should_leave_alone_what_others_added()
    {
        await ApplyAsync(App);
        await _api.PatchAsync(DeploymentKey, PatchType.Merge, JsonNode.Parse("""{"metadata":{"annotations":{"theirs":"1"}}}""")!, default, new() { FieldManager = "other" });

        var plan = await ApplyAsync(App);

        Assert.That(Changes(plan), Is.Empty);
        Assert.That((await _api.GetAsync(DeploymentKey, default)).Annotation("theirs"), Is.EqualTo("1"));
    }

    [Test]
    public async Task Should_make_an_object_again_When_somebody_deleted_it()
    {
        await ApplyAsync(App);
        await _api.DeleteAsync(Key("v1", "Service", "api"), default);

        Assert.That(Changes(await ApplyAsync(App)), Is.EqualTo(new[] { "Create Service/api" }));
    }

    [Test]
    public async Task Should_find_nothing_to_change_When_the_api_writes_a_value_in_its_own_way()
    {
        var app = App.Replace("cpu: 50m", "cpu: 0.5").Replace("memory: 64Mi}, limits", "memory: 65536Ki}, limits");
        await ApplyAsync(app);

        Assert.That(Changes(await PlanAsync(app)), Is.Empty);
    }

    [Test]
    public async Task Should_wait_for_an_object_that_is_being_deleted_and_make_it_anew()
    {
        await ApplyAsync(App);
        var key = Key("v1", "ConfigMap", "settings");
        await _api.PatchAsync(key, PatchType.Merge, JsonNode.Parse("""{"metadata":{"finalizers":["example.com/hold"]}}""")!, default, new() { FieldManager = "holder" });
        var before = (await _api.GetAsync(key, default)).Uid();
        await _api.DeleteAsync(key, default);

        var applying = ApplyAsync(App);
        await _api.PatchAsync(key, PatchType.Merge, JsonNode.Parse("""{"metadata":{"finalizers":null}}""")!, default, new() { FieldManager = "holder" });
        await applying;

        var after = await _api.GetAsync(key, default);
        Assert.That(after.Uid(), Is.Not.Null.And.Not.EqualTo(before));
    }

    [Test]
    public async Task Should_adopt_an_object_that_was_made_by_hand()
    {
        await ApplyAsync(App.Split("---")[0]);
        await _api.CreateAsync(Manifests(App.Split("---")[1]).Single().Node, default, new() { FieldManager = "kubectl-create" });

        var plan = await ApplyAsync(App);

        Assert.That(Changes(plan), Does.Contain("Update ConfigMap/settings"));
        Assert.That(Changes(await PlanAsync(App)), Is.Empty);
    }

    [Test]
    public async Task Should_delete_what_is_no_longer_wanted_and_nothing_else()
    {
        const string Old = "\n---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: old}}\n---\n{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}}";
        await ApplyAsync(App + Old);
        await _api.CreateAsync(Manifests("{apiVersion: v1, kind: ConfigMap, metadata: {name: theirs}}").Single().Node, default);
        var copied = Manifests("{apiVersion: v1, kind: ConfigMap, metadata: {name: copied}}").Single().Node;
        copied.Child("metadata").Child("labels")["applyset.kubernetes.io/part-of"] = _set.Id;
        await _api.CreateAsync(copied, default);

        var plan = await ApplyAsync(App);
        var deleted = await new Applier(_reporter, TimeProvider.System).PruneAsync(_api, _set, plan.Objects.Select(planned => planned.Key), default);

        Assert.That(plan.Prunes.Select(node => node.ObjectName()), Is.EqualTo(new[] { "old" }));
        Assert.That(plan.Kept.Select(node => node.ObjectName()), Is.EqualTo(new[] { "data" }));
        Assert.That(deleted.Select(key => key.ToString()), Is.EqualTo(new[] { "ConfigMap/old" }));
        foreach (var name in (string[])["theirs", "copied", "settings"])
        {
            Assert.That(await _api.GetAsync(Key("v1", "ConfigMap", name), default), Is.Not.Null, name);
        }

        Assert.That(_reporter.Lines.Select(line => line.Source), Does.Contain("PersistentVolumeClaim/data"));
    }

    [Test]
    public async Task Should_say_in_the_parent_which_kinds_there_are()
    {
        await ApplyAsync(App);

        var parent = await _api.GetAsync(_set.Parent, default);

        Assert.That(parent.Label("applyset.kubernetes.io/id"), Is.EqualTo(_set.Id));
        Assert.That(parent.Annotation("applyset.kubernetes.io/contains-group-kinds"), Is.EqualTo("ConfigMap,Deployment.apps,Namespace,Secret,Service"));
    }

    [Test]
    public async Task Should_name_all_objects_that_are_refused_and_change_nothing()
    {
        await ApplyAsync(App);
        var wrong = App.Replace("level: \"1\"", "level: {not: text}").Replace("replicas: 2", "replicsa: 2");

        var refusal = Assert.ThrowsAsync<K3sException>(() => ApplyAsync(wrong));

        Assert.That(refusal!.Summary, Is.EqualTo("the cluster refuses 2 objects; nothing was changed"));
        Assert.That(string.Join('\n', refusal.Details), Does.Contain("ConfigMap/settings").And.Contain("replicsa"));
    }

    [Test]
    public async Task Should_explain_a_field_that_cannot_change_and_replace_the_object_When_allowed()
    {
        await ApplyAsync(App);
        var other = App.Replace("{app: api}", "{app: web}");

        var refusal = Assert.ThrowsAsync<K3sException>(() => ApplyAsync(other));
        Assert.That(refusal!.NextStep, Does.Contain("cannot be changed in place"));

        await ApplyAsync(other.Replace("kind: Deployment\nmetadata: {name: api}", "kind: Deployment\nmetadata: {name: api, annotations: {cake-k3s/replace: \"true\"}}"));
        Assert.That((await _api.GetAsync(DeploymentKey, default)).Text("spec", "selector", "matchLabels", "app"), Is.EqualTo("web"));
    }

    [Test]
    public void Should_say_that_the_namespace_is_missing()
    {
        Assert.That(
            () => ApplyAsync(App[(App.IndexOf("---", StringComparison.Ordinal) + 4)..]),
            Throws.TypeOf<K3sException>().With.Message.Contains("there is no namespace 'shop'"));
    }

    [Test]
    public async Task Should_say_that_the_namespace_is_terminating()
    {
        await ApplyAsync(App);
        var held = (await _api.GetAsync(Key("v1", "ConfigMap", "settings"), default))!;
        await _api.PatchAsync(ObjectKey.Of(held), PatchType.Merge, JsonNode.Parse("""{"metadata":{"finalizers":["example.com/hold"]}}""")!, default);
        await _api.DeleteAsync(new(new("", "v1", "Namespace"), null, "shop"), default);

        Assert.That(() => ApplyAsync(App), Throws.TypeOf<K3sException>().With.Message.Contains("'shop' is terminating"));
    }

    [Test]
    public void Should_name_the_place_When_the_cluster_does_not_know_the_type()
    {
        Assert.That(
            () => PlanAsync(App + "\n---\napiVersion: apps/v1beta1\nkind: Deployment\nmetadata: {name: old}"),
            Throws.TypeOf<SettingsException>().With.Message.StartsWith("app.yaml:35:13: the cluster knows no Deployment of apps/v1beta1").And.Message.Contains("apps/v1: use that"));
    }

    [Test]
    public async Task Should_apply_a_type_together_with_its_definition()
    {
        const string Custom = """

            ---
            apiVersion: apiextensions.k8s.io/v1
            kind: CustomResourceDefinition
            metadata: {name: things.example.com}
            spec:
              group: example.com
              scope: Namespaced
              names: {plural: things, singular: thing, kind: Thing}
              versions:
                - name: v1
                  served: true
                  storage: true
                  schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
            ---
            apiVersion: example.com/v1
            kind: Thing
            metadata: {name: one}
            spec: {a: 1}
            """;

        await ApplyAsync(App + Custom);

        Assert.That((await _api.GetAsync(Key("example.com/v1", "Thing", "one"), default)).Number("spec", "a"), Is.EqualTo(1));
        Assert.That(Changes(await PlanAsync(App + Custom)), Is.Empty);
    }

    [Test]
    public async Task Should_refuse_a_frozen_plan_When_somebody_changed_an_object_since()
    {
        await ApplyAsync(App);
        var wanted = App.Replace("sha256:01", "sha256:02");
        var frozen = FrozenPlan.Freeze(await PlanAsync(wanted), DateTimeOffset.UtcNow);
        Assert.That(() => FrozenPlan.Check(frozen, PlanAsync(wanted).Result), Throws.Nothing);

        await _api.PatchAsync(DeploymentKey, PatchType.Merge, JsonNode.Parse("""{"metadata":{"annotations":{"drift":"1"}}}""")!, default, new() { FieldManager = "somebody" });

        Assert.That(async () => FrozenPlan.Check(frozen, await PlanAsync(wanted)), Throws.TypeOf<K3sException>().With.Message.Contains("Deployment/api was changed in the cluster"));
    }
}
