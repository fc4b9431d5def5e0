using Cake.K3s.Sandbox.ApiServer.Objects;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class RoleTests
{
    private const string Roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
    private const string Bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings";
    private const string Bob = "User \"system:serviceaccount:default:bob\" cannot";

    private TestApi _api = null!;
    private string _token = "";

    [SetUp]
    public async Task StartAsync()
    {
        _api = await TestApi.StartAsync();
        await _api.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"bob"}}""");
        var token = await _api.PostAsync("/api/v1/namespaces/default/serviceaccounts/bob/token", "{}");
        _token = token["status.token"]!;
    }

    [TearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    [TestCase("GET", Samples.ConfigMaps, "configmaps is forbidden: " + Bob + " list resource \"configmaps\" in API group \"\" in the namespace \"default\"")]
    [TestCase("GET", Samples.ConfigMaps + "?watch=true", "configmaps is forbidden: " + Bob + " watch resource \"configmaps\" in API group \"\" in the namespace \"default\"")]
    [TestCase("GET", Samples.Deployments + "/web", "deployments.apps \"web\" is forbidden: " + Bob + " get resource \"deployments\" in API group \"apps\" in the namespace \"default\"")]
    [TestCase("GET", "/api/v1/nodes", "nodes is forbidden: " + Bob + " list resource \"nodes\" in API group \"\" at the cluster scope")]
    [TestCase("GET", "/api/v1/pods", "pods is forbidden: " + Bob + " list resource \"pods\" in API group \"\" at the cluster scope")]
    [TestCase("GET", Samples.Pods + "/web/log", "pods \"web\" is forbidden: " + Bob + " get resource \"pods/log\" in API group \"\" in the namespace \"default\"")]
    [TestCase("DELETE", Samples.ConfigMaps + "/kube-root-ca.crt", "configmaps \"kube-root-ca.crt\" is forbidden: " + Bob + " delete resource")]
    [TestCase("POST", Samples.ConfigMaps, "configmaps is forbidden: " + Bob + " create resource \"configmaps\"")]
    public async Task Should_say_who_cannot_do_what_where_When_no_role_allows_it(string method, string path, string message)
    {
        var answer = await AsBobAsync(method, path, method == "POST" ? Samples.ConfigMap("x") : null);

        Assert.That((answer.Code, answer["reason"]), Is.EqualTo((403, "Forbidden")));
        Assert.That(answer.Message, Does.StartWith(message));
    }

    [Test]
    public async Task Should_allow_that_and_no_more_When_a_role_is_bound()
    {
        await GrantAsync("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","list","patch"]},{"apiGroups":[""],"resources":["secrets"],"resourceNames":["mine"],"verbs":["get","list"]}""");
        await _api.PostAsync(Samples.ConfigMaps, Samples.ConfigMap("a"));
        await _api.PostAsync("/api/v1/namespaces/default/secrets", """{"metadata":{"name":"mine"}}""");

        var codes = new List<int>();
        foreach (var (method, path, body) in ((string, string, string?)[])
        [
            ("GET", Samples.ConfigMaps, null), ("GET", Samples.ConfigMaps + "/a", null), ("PATCH", Samples.ConfigMaps + "/a", """{"data":{"a":"2"}}"""),
            ("GET", "/api/v1/namespaces/default/secrets/mine", null), ("GET", "/api/v1/namespaces/default/secrets?fieldSelector=metadata.name%3Dmine", null), ("GET", "/api", null), ("GET", "/openapi/v3", null),
            ("DELETE", Samples.ConfigMaps + "/a", null), ("DELETE", Samples.ConfigMaps, null), ("GET", "/api/v1/namespaces/kube-system/configmaps", null), ("GET", "/api/v1/configmaps", null),
            ("GET", "/api/v1/namespaces/default/secrets/other", null), ("GET", "/api/v1/namespaces/default/secrets", null),
        ])
        {
            codes.Add((await AsBobAsync(method, path, body)).Code);
        }

        Assert.That(codes, Is.EqualTo(new[] { 200, 200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 403, 403 }));
    }

    [Test]
    public async Task Should_not_make_objects_by_applying_them_When_only_patch_is_allowed()
    {
        await GrantAsync("""{"apiGroups":[""],"resources":["configmaps"],"verbs":["patch"]}""");

        var answer = await AsBobAsync("PATCH", Samples.ConfigMaps + "/new?fieldManager=bob", Samples.ConfigMap("new"), "application/apply-patch+yaml");

        Assert.That((answer.Code, answer.Message), Is.EqualTo((403, $"configmaps is forbidden: {Bob} create resource \"configmaps\" in API group \"\" in the namespace \"default\"")));
    }

    [Test]
    public async Task Should_let_go_at_once_When_the_binding_is_deleted()
    {
        await GrantAsync("""{"apiGroups":["*"],"resources":["*"],"verbs":["*"]}""");
        var before = await AsBobAsync("GET", Samples.Pods);
        await _api.DeleteAsync(Bindings + "/bob");

        Assert.That((before.Code, (await AsBobAsync("GET", Samples.Pods)).Code), Is.EqualTo((200, 403)));
    }

    [TestCase("view", "get", "pods", true)]
    [TestCase("view", "get", "secrets", false)]
    [TestCase("view", "create", "pods", false)]
    [TestCase("edit", "create", "pods", true)]
    [TestCase("edit", "get", "secrets", true)]
    [TestCase("edit", "create", "rolebindings", false)]
    [TestCase("admin", "create", "rolebindings", true)]
    [TestCase("cluster-admin", "delete", "nodes", true)]
    public async Task Should_answer_what_one_may_When_a_usual_role_is_bound(string role, string verb, string resource, bool isAllowed)
    {
        await _api.PostAsync(Bindings, Binding("ClusterRole", role));
        var group = resource == "rolebindings" ? "rbac.authorization.k8s.io" : "";

        var review = await AsBobAsync("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
            $$$"""{"spec":{"resourceAttributes":{"namespace":"default","verb":"{{{verb}}}","group":"{{{group}}}","resource":"{{{resource}}}"} } }""");

        Assert.That((review.Code, review.Json["status"]!["allowed"]!.GetValue<bool>()), Is.EqualTo((201, isAllowed)));
        Assert.That(review["status.reason"], isAllowed ? Is.EqualTo($"RBAC: allowed by RoleBinding \"bob/default\" of ClusterRole \"{role}\" to ServiceAccount \"bob/default\"") : Is.Null);
    }

    [Test]
    public async Task Should_add_the_rules_of_others_When_a_role_aggregates_them()
    {
        await _api.PostAsync("/apis/rbac.authorization.k8s.io/v1/clusterroles",
            """{"metadata":{"name":"more","labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}},"rules":[{"apiGroups":[""],"resources":["secrets"],"verbs":["list"]}]}""");
        await _api.PostAsync(Bindings, Binding("ClusterRole", "view"));

        Assert.That((await AsBobAsync("GET", "/api/v1/namespaces/default/secrets")).Code, Is.EqualTo(200));
    }

    [Test]
    public async Task Should_not_give_away_what_one_does_not_have_When_one_may_write_roles()
    {
        await _api.PostAsync(Bindings, Binding("ClusterRole", "admin"));

        var own = await AsBobAsync("POST", Roles, """{"metadata":{"name":"own"},"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]}""");
        var more = await AsBobAsync("POST", Roles, """{"metadata":{"name":"more"},"rules":[{"apiGroups":[""],"resources":["nodes"],"verbs":["get","delete"]}]}""");
        var bound = await AsBobAsync("POST", Bindings, Binding("ClusterRole", "cluster-admin").Replace("\"name\":\"bob\"}", "\"name\":\"root\"}", StringComparison.Ordinal));

        Assert.Multiple(() =>
        {
            Assert.That((own.Code, more.Code, bound.Code), Is.EqualTo((201, 403, 403)));
            Assert.That(more.Message, Does.Contain("is attempting to grant RBAC permissions not currently held:\n{APIGroups:[\"\"], Resources:[\"nodes\"], Verbs:[\"get\" \"delete\"]}"));
        });
    }

    [Test]
    public async Task Should_act_as_another_When_an_administrator_says_so()
    {
        var asBob = await AsAsync("", "system:serviceaccount:default:bob", "GET", Samples.Pods);
        var bobAsAdmin = await AsAsync(_token, "system:admin", "GET", Samples.Pods);

        Assert.That(asBob.Message, Does.Contain(Bob));
        Assert.That(bobAsAdmin.Message, Is.EqualTo($"users \"system:admin\" is forbidden: {Bob} impersonate resource \"users\" in API group \"\" at the cluster scope"));
    }

    private async Task GrantAsync(string rules)
    {
        await _api.PostAsync(Roles, $$"""{"metadata":{"name":"some"},"rules":[{{rules}}]}""");
        await _api.PostAsync(Bindings, Binding("Role", "some"));
    }

    private static string Binding(string kind, string role) => $$$"""
        {"metadata":{"name":"bob"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"{{{kind}}}","name":"{{{role}}}"},"subjects":[{"kind":"ServiceAccount","name":"bob","namespace":"default"}]}
        """;

    private Task<Answer> AsBobAsync(string method, string path, string? body = null, string? type = null) => AsAsync(_token, "", method, path, body, type);

    private async Task<Answer> AsAsync(string token, string impersonate, string method, string path, string? body = null, string? type = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null)
        {
            request.Content = new StringContent(body);
            request.Content.Headers.ContentType = new(type ?? (method == "PATCH" ? "application/merge-patch+json" : "application/json"));
        }

        if (token.Length > 0)
        {
            request.Headers.Authorization = new("Bearer", token);
        }

        if (impersonate.Length > 0)
        {
            request.Headers.Add("Impersonate-User", impersonate);
        }

        using var response = await _api.Http.SendAsync(request);
        return new Answer((int)response.StatusCode, JsonBody.ReadObject(await response.Content.ReadAsByteArrayAsync()), []);
    }
}
