using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class CustomResourceTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";

    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _api = await TestApi.StartAsync();
        await _api.PostAsync(Definitions, """
            {"metadata":{"name":"widgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"widgets","kind":"Widget"},
            "versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.size","statusReplicasPath":".status.size"}},
            "schema":{"openAPIV3Schema":{"type":"object","properties":{
              "spec":{"type":"object","required":["color"],"properties":{"color":{"type":"string","enum":["red","green"]},"size":{"type":"integer","minimum":1,"default":3},
                "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object","properties":{"name":{"type":"string"},"v":{"type":"string"}}}}}},
              "status":{"type":"object","x-kubernetes-preserve-unknown-fields":true}}}}}]}}
            """);
        await _api.EventuallyAsync(Definitions + "/widgets.example.com", answer => answer["status.conditions"]?.Contains("Established", StringComparison.Ordinal) == true);
    }

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_serve_the_kind_with_its_defaults_When_it_is_established()
    {
        var created = await _api.PostAsync(Widgets, """{"metadata":{"name":"w"},"spec":{"color":"red"}}""");
        var scaled = await _api.PatchAsync(Widgets + "/w/scale", """{"spec":{"replicas":5}}""");
        var read = await _api.GetAsync(Widgets + "/w");
        var found = await _api.GetAsync("/apis/example.com/v1");

        Assert.Multiple(() =>
        {
            Assert.That((created.Code, created["spec.size"]), Is.EqualTo((201, "3")));
            Assert.That((scaled["spec.replicas"], read["spec.size"], read["metadata.generation"]), Is.EqualTo(("5", "5", "2")));
            Assert.That(found.Json.Objects("resources").Select(resource => resource.Text("name")), Is.EquivalentTo((string[])["widgets", "widgets/scale", "widgets/status"]));
        });
    }

    [Test]
    public async Task Should_refuse_an_object_When_the_schema_does_not_allow_it()
    {
        var answer = await _api.PostAsync(Widgets, """{"metadata":{"name":"w"},"spec":{"color":"blue","size":0}}""");

        Assert.Multiple(() =>
        {
            Assert.That(answer.Message, Does.Contain("spec.color: Unsupported value: \"blue\": supported values: \"red\", \"green\""));
            Assert.That(answer.Message, Does.Contain("spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1"));
        });
    }

    [Test]
    public async Task Should_merge_lists_by_the_keys_of_the_schema_When_managers_apply()
    {
        await _api.ApplyAsync(Widgets + "/w", """{"apiVersion":"example.com/v1","kind":"Widget","spec":{"color":"red","parts":[{"name":"a","v":"1"}]}}""", "alice");
        var applied = await _api.ApplyAsync(Widgets + "/w", """{"apiVersion":"example.com/v1","kind":"Widget","spec":{"color":"red","parts":[{"name":"b","v":"2"}]}}""", "bob");

        Assert.That(applied.Json.Object("spec").Objects("parts").Select(part => part.Text("name")), Is.EquivalentTo((string[])["a", "b"]));
    }

    [Test]
    public async Task Should_take_its_objects_along_When_the_definition_is_deleted()
    {
        await _api.PostAsync(Widgets, """{"metadata":{"name":"w"},"spec":{"color":"red"}}""");
        await _api.DeleteAsync(Definitions + "/widgets.example.com");

        await _api.EventuallyAsync(Definitions + "/widgets.example.com", answer => answer.Code == 404);
        await _api.EventuallyAsync(Widgets, answer => answer.Code == 404);
    }
}
