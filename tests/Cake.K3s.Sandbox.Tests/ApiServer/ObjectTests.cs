using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class ObjectTests
{
    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync() => _api = await TestApi.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_give_back_what_was_created_When_it_is_read()
    {
        var created = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        var read = await _api.GetAsync(Samples.ConfigMaps + "/a");

        Assert.Multiple(() =>
        {
            Assert.That(created.Code, Is.EqualTo(201));
            Assert.That(read.Code, Is.EqualTo(200));
            Assert.That(read["data.a"], Is.EqualTo("1"));
            Assert.That(read["metadata.namespace"], Is.EqualTo("default"));
            Assert.That(read["metadata.uid"], Is.Not.Empty);
            Assert.That(read["metadata.creationTimestamp"], Does.EndWith("Z"));
            Assert.That(read.Json.SameAs(created.Json), Is.True);
        });
    }

    [Test]
    public async Task Should_say_what_is_missing_When_there_is_no_such_object()
    {
        var answer = await _api.GetAsync(Samples.Deployments + "/nope");

        Assert.Multiple(() =>
        {
            Assert.That(answer.Code, Is.EqualTo(404));
            Assert.That(answer["kind"], Is.EqualTo("Status"));
            Assert.That(answer["reason"], Is.EqualTo("NotFound"));
            Assert.That(answer.Message, Is.EqualTo("deployments.apps \"nope\" not found"));
            Assert.That(answer["details.group"], Is.EqualTo("apps"));
        });
    }

    [Test]
    public async Task Should_refuse_a_second_object_When_the_name_is_taken()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        var answer = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));

        Assert.That((answer.Code, answer.Message), Is.EqualTo((409, "configmaps \"a\" already exists")));
    }

    [Test]
    public async Task Should_refuse_an_update_When_somebody_else_was_faster()
    {
        var created = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        await _api.PutAsync(Samples.ConfigMaps + "/a", Samples.ConfigMap("a", """{"a":"2"}"""));
        var late = await _api.PutAsync(Samples.ConfigMaps + "/a",
            Samples.ConfigMap("a", """{"a":"3"}""", $",\"resourceVersion\":\"{created.Version}\""));

        Assert.Multiple(() =>
        {
            Assert.That((late.Code, late["reason"]), Is.EqualTo((409, "Conflict")));
            Assert.That(late.Message, Is.EqualTo(
                "Operation cannot be fulfilled on configmaps \"a\": the object has been modified; please apply your changes to the latest version and try again"));
        });
    }

    [Test]
    public async Task Should_keep_the_version_When_an_update_changes_nothing()
    {
        var created = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        var same = await _api.PutAsync(Samples.ConfigMaps + "/a", Samples.ConfigMap("a"));

        Assert.That(same.Version, Is.EqualTo(created.Version));
    }

    [Test]
    public async Task Should_number_the_specs_only_When_a_deployment_changes()
    {
        await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));
        var labelled = await _api.PatchAsync(Samples.Deployments + "/web", """{"metadata":{"labels":{"x":"y"}}}""");
        var scaled = await _api.PatchAsync(Samples.Deployments + "/web", """{"spec":{"replicas":3}}""");
        var reported = await _api.PatchAsync(Samples.Deployments + "/web/status", """{"status":{"replicas":3},"spec":{"replicas":9}}""");

        Assert.Multiple(() =>
        {
            Assert.That(labelled["metadata.generation"], Is.EqualTo("1"));
            Assert.That(scaled["metadata.generation"], Is.EqualTo("2"));
            Assert.That(reported["metadata.generation"], Is.EqualTo("2"));
            Assert.That(reported["status.replicas"], Is.EqualTo("3"));
            Assert.That(reported["spec.replicas"], Is.EqualTo("3"), "the status subresource leaves the spec alone");
        });
    }

    [Test]
    public async Task Should_leave_the_status_alone_When_the_object_itself_is_written()
    {
        await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));
        var answer = await _api.PatchAsync(Samples.Deployments + "/web", """{"status":{"replicas":7}}""");

        Assert.That(answer["status.replicas"], Is.Null);
    }

    [Test]
    public async Task Should_make_a_name_When_only_its_beginning_is_given()
    {
        var first = await _api.PostAsync(Samples.ConfigMaps, """{"metadata":{"generateName":"a-"}}""");
        var second = await _api.PostAsync(Samples.ConfigMaps, """{"metadata":{"generateName":"a-"}}""");

        Assert.Multiple(() =>
        {
            Assert.That(first["metadata.name"], Does.Match("^a-[a-z0-9]{5}$"));
            Assert.That(second["metadata.name"], Is.Not.EqualTo(first["metadata.name"]));
        });
    }

    [Test]
    public async Task Should_keep_nothing_When_it_is_a_dry_run()
    {
        var answer = await _api.PostAsync(Samples.Deployments + "?dryRun=All", Samples.Deployment("web"));
        var read = await _api.GetAsync(Samples.Deployments + "/web");

        Assert.That((answer.Code, answer["spec.replicas"], read.Code), Is.EqualTo((201, "1", 404)));
    }

    [Test]
    public async Task Should_select_by_labels_and_fields_When_a_list_asks_for_that()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a", metadata: ""","labels":{"tier":"front","env":"x"}"""));
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("b", metadata: ""","labels":{"tier":"back"}"""));

        Assert.Multiple(async () =>
        {
            Assert.That(Names(await _api.GetAsync(Samples.ConfigMaps + "?labelSelector=tier%20in%20(front,back),env")), Is.EqualTo("a"));
            Assert.That(Names(await _api.GetAsync(Samples.ConfigMaps + "?labelSelector=tier!=front,!env")), Is.EqualTo("b"));
            Assert.That(Names(await _api.GetAsync(Samples.ConfigMaps + "?fieldSelector=metadata.name=b")), Is.EqualTo("b"));
            Assert.That((await _api.GetAsync(Samples.ConfigMaps + "?fieldSelector=data.a=1")).Code, Is.EqualTo(400));
        });
    }

    [Test]
    public async Task Should_page_through_a_list_When_there_is_a_limit()
    {
        foreach (var name in (string[])["a", "b", "c", "d", "e"])
        {
            await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap(name));
        }

        var first = await _api.GetAsync(Samples.ConfigMaps + "?limit=2");
        var second = await _api.GetAsync($"{Samples.ConfigMaps}?limit=2&continue={first["metadata.continue"]}");
        var third = await _api.GetAsync($"{Samples.ConfigMaps}?limit=2&continue={second["metadata.continue"]}");

        Assert.Multiple(() =>
        {
            Assert.That((Names(first), Names(second), Names(third)), Is.EqualTo(("a b", "c d", "e")));
            Assert.That(first["metadata.remainingItemCount"], Is.EqualTo("3"));
            Assert.That(third["metadata.continue"], Is.Null);
        });
    }

    [Test]
    public async Task Should_refuse_content_When_the_namespace_does_not_exist()
    {
        var answer = await _api.PostAsync("/api/v1/namespaces/nowhere/configmaps", Samples.ConfigMap("a"));

        Assert.That((answer.Code, answer.Message), Is.EqualTo((404, "namespaces \"nowhere\" not found")));
    }

    [Test]
    public async Task Should_empty_a_namespace_and_let_it_go_When_it_is_deleted()
    {
        await _api.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"team"}}""");
        await _api.PostAsync("/api/v1/namespaces/team/configmaps", Samples.ConfigMap("held", metadata: ""","finalizers":["example.com/hold"]"""));
        var deleted = await _api.DeleteAsync("/api/v1/namespaces/team");
        var refused = await _api.PostAsync("/api/v1/namespaces/team/configmaps", Samples.ConfigMap("late"));
        await _api.EventuallyAsync("/api/v1/namespaces/team/configmaps/held", held => held["metadata.deletionTimestamp"] is not null);
        await _api.PatchAsync("/api/v1/namespaces/team/configmaps/held", """{"metadata":{"finalizers":null}}""");
        await _api.EventuallyAsync("/api/v1/namespaces/team", answer => answer.Code == 404);

        Assert.Multiple(() =>
        {
            Assert.That(deleted["status.phase"], Is.EqualTo("Terminating"));
            Assert.That(refused.Code, Is.EqualTo(403));
            Assert.That(refused.Message, Does.Contain("unable to create new content in namespace team because it is being terminated"));
        });
    }

    [Test]
    public async Task Should_wait_for_the_finalizer_When_an_object_with_one_is_deleted()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a", metadata: ""","finalizers":["example.com/hold"]"""));
        await _api.DeleteAsync(Samples.ConfigMaps + "/a");
        var held = await _api.GetAsync(Samples.ConfigMaps + "/a");
        await _api.PatchAsync(Samples.ConfigMaps + "/a", """{"metadata":{"finalizers":null}}""");
        var gone = await _api.GetAsync(Samples.ConfigMaps + "/a");

        Assert.That((held["metadata.deletionTimestamp"] is not null, gone.Code), Is.EqualTo((true, 404)));
    }

    [Test]
    public async Task Should_give_a_pod_its_grace_When_a_node_has_it()
    {
        await _api.PostAsync(Samples.Pods, Samples.Pod("p"));
        await _api.PostAsync(Samples.Pods + "/p/binding", """{"target":{"kind":"Node","name":"n1"}}""");
        var deleted = await _api.DeleteAsync(Samples.Pods + "/p", """{"gracePeriodSeconds":7}""");
        var still = await _api.GetAsync(Samples.Pods + "/p");
        await _api.DeleteAsync(Samples.Pods + "/p", """{"gracePeriodSeconds":0}""");
        var gone = await _api.GetAsync(Samples.Pods + "/p");

        Assert.That((deleted["metadata.deletionGracePeriodSeconds"], still.Code, gone.Code), Is.EqualTo(("7", 200, 404)));
    }

    [Test]
    public async Task Should_name_the_unknown_fields_When_a_client_wants_to_know()
    {
        var body = Samples.Deployment("web", spec: "\"replicaz\":2,");
        var warned = await _api.PostAsync(Samples.Deployments + "?fieldValidation=Warn", body);
        var strict = await _api.PostAsync(Samples.Deployments + "?fieldValidation=Strict", body.Replace("\"web\"", "\"web2\"", StringComparison.Ordinal));

        Assert.Multiple(() =>
        {
            Assert.That(warned.Warnings, Is.EqualTo((string[])["299 - \"unknown field \\\"spec.replicaz\\\"\""]));
            Assert.That(strict.Code, Is.EqualTo(400));
            Assert.That(strict.Message, Is.EqualTo(
                "Deployment in version \"v1\" cannot be handled as a Deployment: strict decoding error: unknown field \"spec.replicaz\""));
        });
    }

    [Test]
    public async Task Should_answer_with_the_right_type_name_When_a_value_has_the_wrong_one()
    {
        var answer = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web", spec: "\"replicas\":\"two\","));

        Assert.That((answer.Code, answer.Message), Is.EqualTo((400,
            "Deployment in version \"v1\" cannot be handled as a Deployment: json: cannot unmarshal string into Go struct field spec.replicas of type int32")));
    }

    [Test]
    public async Task Should_show_both_views_When_an_event_is_written_in_one_of_them()
    {
        await _api.PostAsync("/api/v1/namespaces/default/events", """
            {"metadata":{"name":"e"},"involvedObject":{"kind":"Pod","name":"p","namespace":"default"},"reason":"Started","message":"hello","type":"Normal"}
            """);
        var view = await _api.GetAsync("/apis/events.k8s.io/v1/namespaces/default/events/e");

        Assert.That((view["apiVersion"], view["regarding.name"], view["note"]), Is.EqualTo(("events.k8s.io/v1", "p", "hello")));
    }

    [Test]
    public async Task Should_print_a_table_When_kubectl_asks_for_one()
    {
        await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));
        var table = await _api.GetAsync(Samples.Deployments, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");

        Assert.Multiple(() =>
        {
            Assert.That(table["kind"], Is.EqualTo("Table"));
            Assert.That(table["rows.0.cells.0"], Is.EqualTo("web"));
            Assert.That(table["rows.0.cells.1"], Is.EqualTo("0/1"));
        });
    }

    [Test]
    public async Task Should_take_yaml_When_a_client_sends_it()
    {
        var answer = await _api.SendAsync(HttpMethod.Post, Samples.ConfigMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: yaml\ndata:\n  a: \"1\"\n", "application/yaml");

        Assert.That((answer.Code, answer["data.a"]), Is.EqualTo((201, "1")));
    }

    [TestCase("data: &a {b: *a}", "there is no anchor 'a' above")]
    [TestCase("data: &a [*a]", "there is no anchor 'a' above")]
    public async Task Should_refuse_a_value_that_contains_itself_When_a_client_sends_it_as_yaml(string data, string problem)
    {
        var answer = await _api.SendAsync(HttpMethod.Post, Samples.ConfigMaps, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n" + data, "application/yaml");

        Assert.That(answer.Code, Is.EqualTo(400));
        Assert.That(answer.Message, Does.Contain(problem));
    }

    [Test]
    public async Task Should_refuse_yaml_that_is_nested_without_end_When_a_client_sends_it()
    {
        var answer = await _api.SendAsync(HttpMethod.Post, Samples.ConfigMaps, "a: " + new string('[', 200_000), "application/yaml");

        Assert.That(answer.Code, Is.EqualTo(400));
    }

    private static string Names(Answer list) => string.Join(' ', list.Json.Objects("items").Select(item => item.Name()));
}
