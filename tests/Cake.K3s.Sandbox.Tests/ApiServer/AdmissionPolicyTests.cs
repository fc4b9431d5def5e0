namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class AdmissionPolicyTests
{
    private const string Policies = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies";
    private const string Bindings = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings";
    private const string Pinned = "object.spec.template.spec.containers.all(c, c.image.contains('@sha256:'))";

    private TestApi _api = null!;

    [SetUp]
    public async Task StartAsync() => _api = await TestApi.StartAsync();

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [Test]
    public async Task Should_answer_as_a_real_server_When_a_policy_denies_an_object()
    {
        await HoldAsync($$"""{"expression":"{{Pinned}}","message":"pin images by digest"}""");

        var answer = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));

        const string Why = "ValidatingAdmissionPolicy 'pinned' with binding 'pinned-everywhere' denied request: pin images by digest";
        Assert.Multiple(() =>
        {
            Assert.That((answer.Code, answer["reason"]), Is.EqualTo((422, "Invalid")));
            Assert.That(answer.Message, Is.EqualTo($"deployments.apps \"web\" is forbidden: {Why}"));
            Assert.That((answer["details.name"], answer["details.group"], answer["details.kind"]), Is.EqualTo(("web", "apps", "deployments")));
            Assert.That(answer["details.causes.0.message"], Is.EqualTo(Why));
        });
    }

    [Test]
    public async Task Should_let_through_what_fits_and_what_it_is_not_about_When_a_policy_is_bound()
    {
        await HoldAsync($$"""{"expression":"{{Pinned}}"}""");

        var pinned = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web", image: "r/a@sha256:00"));
        var other = await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("x", """{"a":"1"}"""));
        var status = await _api.PatchAsync(Samples.Deployments + "/web/status", """{"status":{"observedGeneration":1}}""");

        Assert.That((pinned.Code, other.Code, status.Code), Is.EqualTo((201, 201, 200)));
    }

    [TestCase("object.spec.replicas <= 1", "failed expression: object.spec.replicas <= 1", 422, "")]
    [TestCase("object.spec.none == 1", "expression 'object.spec.none == 1' resulted in error: no such key: none", 422, "")]
    [TestCase("object.spec.replicas <= 1", "3 replicas of web", 422, ",\"messageExpression\":\"string(object.spec.replicas) + ' replicas of ' + object.metadata.name\"")]
    [TestCase("object.spec.replicas <= 1", "fixed", 422, ",\"message\":\"fixed\",\"messageExpression\":\"object.none\"")]
    [TestCase("object.spec.replicas <= 1", "failed expression", 403, ",\"reason\":\"Forbidden\"")]
    [TestCase("variables.most > 9 && variables.replicas <= variables.most", "failed expression", 422, "")]
    [TestCase("request.operation != 'CREATE' || request.userInfo.username != 'system:admin'", "failed expression", 422, "")]
    [TestCase("namespaceObject.metadata.name == 'kube-system' && oldObject == null && params == null", "failed expression", 422, "")]
    public async Task Should_say_which_rule_and_why_When_it_denies(string expression, string message, int code, string more)
    {
        await HoldAsync($$"""{"expression":"{{expression}}"{{more}}}""",
            """,{"name":"unused","expression":"1/0"}""");

        var answer = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web", spec: "\"replicas\":3,"));

        Assert.Multiple(() =>
        {
            Assert.That(answer.Code, Is.EqualTo(code));
            Assert.That(answer.Message, Does.Contain($"denied request: {message}"));
        });
    }

    [Test]
    public async Task Should_let_through_When_a_failing_expression_is_to_be_ignored()
    {
        await HoldAsync("""{"expression":"object.spec.none == 1"}""", failurePolicy: "Ignore");

        Assert.That((await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"))).Code, Is.EqualTo(201));
    }

    [Test]
    public async Task Should_only_warn_When_the_binding_says_so()
    {
        await HoldAsync($$"""{"expression":"{{Pinned}}","message":"pin images"}""", actions: "\"Warn\",\"Audit\"");

        var answer = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));

        Assert.Multiple(() =>
        {
            Assert.That(answer.Code, Is.EqualTo(201));
            Assert.That(answer.Warnings, Is.EqualTo(new[] { "299 - \"Validation failed for ValidatingAdmissionPolicy 'pinned' with binding 'pinned-everywhere': pin images\"" }));
        });
    }

    [Test]
    public async Task Should_deny_every_way_of_writing_When_an_update_breaks_a_rule()
    {
        await _api.PostAsync(Samples.Deployments, Samples.Deployment("web", image: "r/a@sha256:00"));
        await HoldAsync($$"""{"expression":"{{Pinned}}"}""");
        const string Bad = """{"spec":{"template":{"spec":{"containers":[{"name":"web","image":"r/a:1"}]}}}}""";

        var merge = await _api.PatchAsync(Samples.Deployments + "/web", Bad);
        var strategic = await _api.PatchAsync(Samples.Deployments + "/web", Bad, "strategic-merge-patch+json");
        var json = await _api.PatchAsync(Samples.Deployments + "/web", """[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"r/a:1"}]""", "json-patch+json");
        var apply = await _api.ApplyAsync(Samples.Deployments + "/new", Samples.Deployment("new"));
        var rehearsal = await _api.ApplyAsync(Samples.Deployments + "/new", Samples.Deployment("new"), query: "&dryRun=All");

        Assert.That(((Answer[])[merge, strategic, json, apply, rehearsal]).Select(answer => answer.Code), Is.All.EqualTo(422));
    }

    [Test]
    public async Task Should_ask_before_a_deletion_When_a_policy_is_about_those()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("kept", """{"a":"1"}"""));
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("free", """{"a":"1"}"""));
        await HoldAsync("""{"expression":"object == null && oldObject.metadata.name != 'kept'"}""", resource: "configmaps", group: "", operations: "\"DELETE\"");

        var kept = await _api.DeleteAsync(Samples.ConfigMaps + "/kept");
        var free = await _api.DeleteAsync(Samples.ConfigMaps + "/free");

        Assert.That((kept.Code, free.Code), Is.EqualTo((422, 200)));
    }

    [TestCase("\"namespaceSelector\":{\"matchLabels\":{\"kubernetes.io/metadata.name\":\"kube-system\"}}")]
    [TestCase("\"objectSelector\":{\"matchLabels\":{\"app\":\"none\"}}")]
    [TestCase("\"excludeResourceRules\":[{\"apiGroups\":[\"*\"],\"apiVersions\":[\"*\"],\"operations\":[\"*\"],\"resources\":[\"deployments\"]}]")]
    [TestCase("\"resourceRules\":[{\"apiGroups\":[\"apps\"],\"apiVersions\":[\"v1\"],\"operations\":[\"CREATE\"],\"resources\":[\"deployments/scale\"]}]")]
    [TestCase("\"resourceRules\":[{\"apiGroups\":[\"apps\"],\"apiVersions\":[\"v1\"],\"operations\":[\"CREATE\"],\"resources\":[\"*\"],\"scope\":\"Cluster\"}]")]
    public async Task Should_let_through_When_the_binding_is_about_something_else(string resources)
    {
        await HoldAsync("""{"expression":"false"}""", matchResources: $",\"matchResources\":{{{resources}}}");

        Assert.That((await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"))).Code, Is.EqualTo(201));
    }

    [Test]
    public async Task Should_read_the_parameter_object_When_the_binding_names_one()
    {
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("registries", """{"allowed":"registry.local:5000/"}"""));
        await HoldAsync("""{"expression":"object.spec.template.spec.containers.all(c, c.image.startsWith(params.data.allowed))"}""",
            paramKind: ",\"paramKind\":{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\"}",
            matchResources: ",\"paramRef\":{\"name\":\"registries\",\"namespace\":\"default\",\"parameterNotFoundAction\":\"Deny\"}");

        var ours = await _api.PostAsync(Samples.Deployments, Samples.Deployment("ours", image: "registry.local:5000/a"));
        var theirs = await _api.PostAsync(Samples.Deployments, Samples.Deployment("theirs", image: "evil.example/a"));
        await _api.DeleteAsync(Samples.ConfigMaps + "/registries");
        var without = await _api.PostAsync(Samples.Deployments, Samples.Deployment("without", image: "registry.local:5000/a"));

        Assert.Multiple(() =>
        {
            Assert.That((ours.Code, theirs.Code, without.Code), Is.EqualTo((201, 422, 422)));
            Assert.That(without.Message, Does.Contain("no params found for policy binding with `Deny` parameterNotFoundAction"));
        });
    }

    [Test]
    public async Task Should_follow_the_policy_When_it_changes_or_goes()
    {
        await HoldAsync("""{"expression":"false"}""");
        var before = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));
        await _api.PatchAsync(Policies + "/pinned", """{"spec":{"validations":[{"expression":"true"}]}}""");
        var changed = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));
        await _api.PatchAsync(Policies + "/pinned", """{"spec":{"validations":[{"expression":"false"}]}}""");
        await _api.DeleteAsync(Bindings + "/pinned-everywhere");
        var gone = await _api.PostAsync(Samples.Deployments, Samples.Deployment("web2"));

        Assert.That((before.Code, changed.Code, gone.Code), Is.EqualTo((422, 201, 201)));
    }

    [TestCase("""{"expression":"object.spec.x =="}""", "spec.validations[0].expression: Invalid value: \"object.spec.x ==\": compilation failed: ERROR: <input>:1:17: Syntax error")]
    [TestCase("""{"expression":"objekt == null"}""", "undeclared reference to 'objekt' (in container '')")]
    [TestCase("""{"expression":" "}""", "spec.validations[0].expression: Required value: expression is not specified")]
    [TestCase("""{"expression":"true","messageExpression":"oops"}""", "spec.validations[0].messageExpression: Invalid value: \"oops\": compilation failed")]
    [TestCase("", "spec.validations: Required value")]
    public async Task Should_refuse_a_policy_When_it_could_never_work(string validations, string message)
    {
        var answer = await _api.PostAsync(Policies, Policy(validations));

        Assert.Multiple(() =>
        {
            Assert.That(answer.Code, Is.EqualTo(422));
            Assert.That(answer.Message, Does.Contain(message));
        });
    }

    [TestCase("", "spec.validationActions: Required value")]
    [TestCase("\"Refuse\"", "spec.validationActions[0]: Unsupported value: \"Refuse\": supported values: \"Audit\", \"Deny\", \"Warn\"")]
    [TestCase("\"Deny\",\"Warn\"", "must not contain both Deny and Warn")]
    public async Task Should_refuse_a_binding_When_its_actions_make_no_sense(string actions, string message)
    {
        var answer = await _api.PostAsync(Bindings, Binding(actions, ""));

        Assert.Multiple(() =>
        {
            Assert.That(answer.Code, Is.EqualTo(422));
            Assert.That(answer.Message, Does.Contain(message));
        });
    }

    private async Task HoldAsync(
        string validations, string variables = "", string failurePolicy = "Fail", string actions = "\"Deny\"", string resource = "deployments",
        string group = "apps", string operations = "\"CREATE\",\"UPDATE\"", string matchResources = "", string paramKind = "")
    {
        var policy = await _api.PostAsync(Policies, Policy(validations, variables, failurePolicy, resource, group, operations, paramKind));
        Assert.That(policy.Code, Is.EqualTo(201), policy.Message);
        var binding = await _api.PostAsync(Bindings, Binding(actions, matchResources));
        Assert.That(binding.Code, Is.EqualTo(201), binding.Message);
    }

    private static string Policy(
        string validations, string variables = "", string failurePolicy = "Fail", string resource = "deployments", string group = "apps",
        string operations = "\"CREATE\"", string paramKind = "")
        => $$$"""
            {"metadata":{"name":"pinned"},"spec":{"failurePolicy":"{{{failurePolicy}}}"{{{paramKind}}},
              "matchConstraints":{"resourceRules":[{"apiGroups":["{{{group}}}"],"apiVersions":["v1"],"operations":[{{{operations}}}],"resources":["{{{resource}}}"]}]},
              "variables":[{"name":"replicas","expression":"object.spec.replicas"},{"name":"most","expression":"variables.replicas - 1"}{{{variables}}}],
              "validations":[{{{validations}}}] } }
            """;

    private static string Binding(string actions, string more)
        => $$$"""{"metadata":{"name":"pinned-everywhere"},"spec":{"policyName":"pinned","validationActions":[{{{actions}}}]{{{more}}} } }""";
}
