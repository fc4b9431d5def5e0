using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Sandbox.ApiServer.FieldOwnership;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;
using CsCheck;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class ServerSideApplyTests
{
    private const string Web = Samples.Deployments + "/web";

    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync() => _api = await TestApi.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_create_and_own_the_fields_When_there_is_no_such_object()
    {
        var applied = await _api.ApplyAsync(Web, Samples.Deployment("web"), "alice");

        Assert.Multiple(() =>
        {
            Assert.That(applied.Code, Is.EqualTo(201));
            Assert.That(applied["spec.replicas"], Is.EqualTo("1"), "a default is filled in");
            Assert.That(applied["metadata.managedFields.0.manager"], Is.EqualTo("alice"));
            Assert.That(applied["metadata.managedFields.0.operation"], Is.EqualTo("Apply"));
            Assert.That(applied["metadata.managedFields.0.fieldsV1"], Does.Not.Contain("f:replicas"), "and nobody owns it");
            Assert.That(applied["metadata.managedFields.0.fieldsV1"], Does.Contain("k:{\\\"name\\\":\\\"web\\\"}").Or.Contain("k:{\\u0022name"));
        });
    }

    [Test]
    public async Task Should_write_nothing_When_the_same_is_applied_again()
    {
        var first = await _api.ApplyAsync(Web, Samples.Deployment("web"));
        var second = await _api.ApplyAsync(Web, Samples.Deployment("web"));

        Assert.That((second.Code, second.Version), Is.EqualTo((200, first.Version)));
    }

    [Test]
    public async Task Should_remove_a_field_When_it_is_no_longer_applied()
    {
        await _api.ApplyAsync(Web, Samples.Deployment("web", spec: "\"paused\":true,", container: ""","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]"""));
        var applied = await _api.ApplyAsync(Web, Samples.Deployment("web", container: ""","env":[{"name":"B","value":"2"}]"""));

        Assert.Multiple(() =>
        {
            Assert.That(applied["spec.paused"], Is.Null);
            Assert.That(applied.Json.Object("spec", "template")!.Object("spec").Objects("containers").Single().List("env")!.Count, Is.EqualTo(1));
        });
    }

    [Test]
    public async Task Should_keep_a_field_that_another_manager_owns_too_When_one_lets_go_of_it()
    {
        await _api.ApplyAsync(Samples.ConfigMaps + "/a", """{"apiVersion":"v1","kind":"ConfigMap","data":{"x":"1","y":"1"}}""", "alice");
        await _api.ApplyAsync(Samples.ConfigMaps + "/a", """{"apiVersion":"v1","kind":"ConfigMap","data":{"x":"1"}}""", "bob");
        var applied = await _api.ApplyAsync(Samples.ConfigMaps + "/a", """{"apiVersion":"v1","kind":"ConfigMap"}""", "alice");

        Assert.That((applied["data.x"], applied["data.y"]), Is.EqualTo(("1", (string?)null)));
    }

    [Test]
    public async Task Should_name_field_and_manager_When_somebody_else_owns_what_would_change()
    {
        await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:1", "\"replicas\":2,"), "alice");
        var one = await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:2", "\"replicas\":2,"), "bob");
        var two = await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:2", "\"replicas\":3,"), "bob");

        Assert.Multiple(() =>
        {
            Assert.That((one.Code, one["reason"]), Is.EqualTo((409, "Conflict")));
            Assert.That(one.Message, Is.EqualTo("Apply failed with 1 conflict: conflict with \"alice\": .spec.template.spec.containers[name=\"web\"].image"));
            Assert.That(one["details.causes.0.reason"], Is.EqualTo("FieldManagerConflict"));
            Assert.That(one["details.causes.0.field"], Is.EqualTo(".spec.template.spec.containers[name=\"web\"].image"));
            Assert.That(two.Message, Is.EqualTo(
                "Apply failed with 2 conflicts: conflicts with \"alice\":\n- .spec.replicas\n- .spec.template.spec.containers[name=\"web\"].image"));
        });
    }

    [Test]
    public async Task Should_conflict_with_an_update_by_its_version_When_a_field_was_written_without_apply()
    {
        await _api.ApplyAsync(Web, Samples.Deployment("web", spec: "\"replicas\":2,"), "alice");
        await _api.PatchAsync(Web + "?fieldManager=hpa", """{"spec":{"replicas":5}}""");
        var applied = await _api.ApplyAsync(Web, Samples.Deployment("web", spec: "\"replicas\":2,"), "alice");

        Assert.That(applied.Message, Is.EqualTo("Apply failed with 1 conflict: conflict with \"hpa\" using apps/v1: .spec.replicas"));
    }

    [Test]
    public async Task Should_take_the_field_over_When_it_is_forced()
    {
        await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:1"), "alice");
        var forced = await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:2"), "bob", "&force=true");
        var back = await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:1"), "alice");

        Assert.Multiple(() =>
        {
            Assert.That(forced.Code, Is.EqualTo(200));
            Assert.That(back.Message, Does.Contain("conflict with \"bob\""));
        });
    }

    [Test]
    public async Task Should_keep_the_present_state_When_a_dry_run_would_change_it()
    {
        await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:1"));
        var dry = await _api.ApplyAsync(Web, Samples.Deployment("web", "nginx:2"), query: "&dryRun=All");
        var read = await _api.GetAsync(Web);

        Assert.That((dry["spec.template.spec.containers.0.image"], read["spec.template.spec.containers.0.image"]), Is.EqualTo(("nginx:2", "nginx:1")));
    }

    [Test]
    public async Task Should_refuse_a_field_that_the_kind_does_not_have_When_it_is_applied()
    {
        var answer = await _api.ApplyAsync(Web, Samples.Deployment("web", spec: "\"replicaz\":2,"));

        Assert.That((answer.Code, answer.Message), Is.EqualTo((500,
            "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): .spec.replicaz: field not declared in schema")));
    }

    [Test]
    public async Task Should_refuse_a_list_with_the_same_key_twice_When_it_is_applied()
    {
        var answer = await _api.ApplyAsync(Web, Samples.Deployment("web", container: ""","env":[{"name":"A","value":"1"},{"name":"A","value":"2"}]"""));

        Assert.That(answer.Message, Does.Contain(".spec.template.spec.containers[name=\"web\"].env: duplicate entries for key [name=\"A\"]"));
    }

    [Test]
    public async Task Should_need_a_manager_When_something_is_applied()
    {
        var answer = await _api.PatchAsync(Web, Samples.Deployment("web"), "apply-patch+yaml");

        Assert.That(answer.Message, Does.Contain("fieldManager: Required value: is required for apply patch"));
    }

    [Test]
    public async Task Should_keep_what_the_server_put_into_a_list_element_When_it_is_applied_again()
    {
        await _api.ApplyAsync(Samples.Services + "/web", Service("80"));
        var allocated = await _api.GetAsync(Samples.Services + "/web");
        var applied = await _api.ApplyAsync(Samples.Services + "/web", Service("81"));

        Assert.Multiple(() =>
        {
            Assert.That(applied["spec.clusterIP"], Is.EqualTo(allocated["spec.clusterIP"]).And.Not.Null);
            Assert.That(applied.Json.Object("spec").List("ports")!.Count, Is.EqualTo(1), "the old port is gone");
            Assert.That(applied["spec.ports.0.targetPort"], Is.EqualTo("81"));
        });

        static string Service(string port) => $$$"""{"apiVersion":"v1","kind":"Service","spec":{"selector":{"a":"b"},"ports":[{"port":{{{port}}}}]}}""";
    }

    [Test]
    public void Should_change_nothing_When_the_same_is_applied_twice_whatever_it_is()
        => Config.Sample(config =>
        {
            var tracker = new OwnershipTracker(new ApiServerOptions { StateDirectory = "" });
            var once = tracker.Apply(Deployments, null, config.Copy(), "alice", null, force: false);
            var twice = tracker.Apply(Deployments, once.Copy(), config.Copy(), "alice", null, force: false);
            return once.SameAs(twice);
        }, iter: 300);

    [Test]
    public void Should_end_with_the_second_configuration_When_one_manager_applies_two()
        => Gen.Select(Config, Config).Sample((first, second) =>
        {
            var tracker = new OwnershipTracker(new ApiServerOptions { StateDirectory = "" });
            var live = tracker.Apply(Deployments, null, first.Copy(), "alice", null, force: false);
            var moved = tracker.Apply(Deployments, live, second.Copy(), "alice", null, force: false);
            var fresh = tracker.Apply(Deployments, null, second.Copy(), "alice", null, force: false);
            return Content(moved).SameAs(Content(fresh));
        }, iter: 300);

    [Test]
    public void Should_lose_nothing_of_the_other_When_one_of_two_managers_lets_go_of_everything()
        => Gen.Select(Config, Config).Sample((first, second) =>
        {
            var tracker = new OwnershipTracker(new ApiServerOptions { StateDirectory = "" });
            var live = tracker.Apply(Deployments, null, first.Copy(), "alice", null, force: false);
            var both = tracker.Apply(Deployments, live, second.Copy(), "bob", null, force: true);
            var left = tracker.Apply(Deployments, both, new JsonObject { ["apiVersion"] = "apps/v1", ["kind"] = "Deployment", ["metadata"] = new JsonObject { ["name"] = "web" } }, "alice", null, force: true);
            var alone = tracker.Apply(Deployments, left.Copy(), second.Copy(), "bob", null, force: false);
            return Content(alone).SameAs(Content(left));
        }, iter: 300);

    private static readonly ResourceDefinition Deployments = new ResourceCatalog().Current.Find(new GroupVersion("apps", "v1"), "deployments")!;

    private static readonly Gen<string> Letter = Gen.Int[0, 2].Select(at => "abc"[at].ToString());

    private static readonly Gen<JsonObject> Container = Gen.Select(Letter, Letter, Gen.Dictionary(Letter, Letter)[0, 3]).Select((name, image, env) => new JsonObject
    {
        ["name"] = name,
        ["image"] = image,
        ["env"] = new JsonArray([.. env.Select(pair => new JsonObject { ["name"] = pair.Key, ["value"] = pair.Value })]),
    });

    private static readonly Gen<JsonObject> Config = Gen.Select(Gen.Int[0, 3], Gen.Dictionary(Letter, Letter)[0, 3], Container.Array[1, 3], Gen.Bool).Select((replicas, labels, containers, paused) =>
    {
        var spec = new JsonObject
        {
            ["template"] = new JsonObject
            {
                ["spec"] = new JsonObject { ["containers"] = new JsonArray([.. containers.DistinctBy(container => container.Text("name")).Select(container => container.DeepClone())]) },
            },
        };
        if (replicas > 0)
        {
            spec["replicas"] = replicas;
        }

        if (paused)
        {
            spec["paused"] = true;
        }

        var metadata = new JsonObject { ["name"] = "web" };
        if (labels.Count > 0)
        {
            metadata["labels"] = new JsonObject(labels.Select(pair => KeyValuePair.Create(pair.Key, (JsonNode?)pair.Value)));
        }

        return new JsonObject { ["apiVersion"] = "apps/v1", ["kind"] = "Deployment", ["metadata"] = metadata, ["spec"] = spec };
    });

    private static JsonObject Content(JsonObject value)
    {
        var copy = value.Copy();
        copy.Metadata().Remove("managedFields");
        foreach (var container in copy.Object("spec", "template").Object("spec").Objects("containers"))
        {
            if (container.List("env") is { Count: 0 })
            {
                container.Remove("env");
            }
        }

        return copy;
    }
}
