using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class CustomResourceTests
{
    private const string Definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    private const string Widgets = "/apis/example.com/v1/namespaces/default/widgets";
    private const string Gadgets = "/apis/example.com/v1/namespaces/default/gadgets";

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

    [Test]
    public async Task Should_refuse_what_breaks_a_rule_in_the_words_of_the_api_server_When_the_schema_has_rules()
    {
        await DefineGadgetsAsync("self.least <= self.most");
        async Task<Answer> ApplyAsync(string name, string spec) =>
            await _api.ApplyAsync($"{Gadgets}/{name}", $$"""{"apiVersion":"example.com/v1","kind":"Gadget","metadata":{"name":"{{name}}"},"spec":{{spec}}}""", "alice");

        // The answers of a real server (1.34) to the same.
        Assert.Multiple(async () =>
        {
            Assert.That((await ApplyAsync("g", """{"least":2,"most":1}""")).Message, Does.EndWith("spec: Invalid value: \"object\": least is at most most"));
            Assert.That((await ApplyAsync("bad", """{"least":1,"most":1}""")).Message, Does.EndWith("<nil>: Invalid value: \"object\": failed rule: self.metadata.name != 'bad'"));
            Assert.That((await ApplyAsync("g", """{"least":1,"most":1,"extra":[0]}""")).Message, Does.EndWith("spec.extra: Invalid value: \"object\": a wrong one"));
            Assert.That((await ApplyAsync("g", """{"least":1,"most":1,"forbidden":"x"}""")).Message, Does.EndWith("spec.forbidden: Forbidden: not that"));
            Assert.That((await ApplyAsync("g", """{"most":1}""")).Message, Does.EndWith("spec: Invalid value: \"object\": no such key: least evaluating rule: least is at most most"));
            Assert.That((await ApplyAsync("g", """{"least":1,"most":1,"color":"red","parts":[{"name":"a","size":3}]}""")).Code, Is.EqualTo(201));
            Assert.That((await ApplyAsync("g", """{"least":1,"most":1,"color":"blue","parts":[{"name":"b","size":9},{"name":"a","size":2}]}""")).Message,
                Does.Contain("spec.color: Invalid value: \"string\": color never changes").And.Contains("spec.parts[1].size: Invalid value: \"integer\": failed rule: self >= oldSelf"));
            Assert.That((await ApplyAsync("g", """{"least":1,"most":1,"color":"red","parts":[{"name":"b","size":1},{"name":"a","size":4}]}""")).Code, Is.EqualTo(200));
        });
    }

    [Test]
    public async Task Should_refuse_a_definition_When_a_rule_of_it_cannot_be_compiled()
    {
        var answer = await DefineGadgetsAsync("self.least <= slf.most");

        Assert.That(answer.Code, Is.EqualTo(422));
        Assert.That(answer.Message, Does.Contain("spec.validation.openAPIV3Schema.properties[spec].x-kubernetes-validations[0].rule: Invalid value: ")
            .And.Contains("compilation failed: ERROR: <input>:1:15: undeclared reference to 'slf' (in container '')"));
    }

    private async Task<Answer> DefineGadgetsAsync(string rule)
    {
        var answer = await _api.PostAsync(Definitions, """
            {"metadata":{"name":"gadgets.example.com"},"spec":{"group":"example.com","scope":"Namespaced","names":{"plural":"gadgets","kind":"Gadget"},
            "versions":[{"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":{"type":"object",
              "x-kubernetes-validations":[{"rule":"self.metadata.name != 'bad'"}],
              "properties":{"spec":{"type":"object",
                "x-kubernetes-validations":[
                  {"rule":"RULE","message":"least is at most most"},
                  {"rule":"!has(self.extra) || self.extra.all(e, e > 0)","messageExpression":"self.least > 0 ? 'a wrong one' : 'other'","fieldPath":".extra"},
                  {"rule":"!has(self.forbidden)","message":"not that","reason":"FieldValueForbidden","fieldPath":".forbidden"}],
                "properties":{"least":{"type":"integer"},"most":{"type":"integer"},"forbidden":{"type":"string"},"extra":{"type":"array","items":{"type":"integer"}},
                  "color":{"type":"string","x-kubernetes-validations":[{"rule":"self == oldSelf","message":"color never changes"}]},
                  "parts":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["name"],"items":{"type":"object","required":["name"],
                    "properties":{"name":{"type":"string"},"size":{"type":"integer","x-kubernetes-validations":[{"rule":"self >= oldSelf"}]}}}}}}}}}}]}}
            """.Replace("RULE", rule));
        if (answer.Code == 201)
        {
            await _api.EventuallyAsync(Gadgets, found => found.Code == 200);
        }

        return answer;
    }
}
