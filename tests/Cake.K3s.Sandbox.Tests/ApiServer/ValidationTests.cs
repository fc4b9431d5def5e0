namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class ValidationTests
{
    private TestApi _api = null!;

    [OneTimeSetUp]
    public async Task StartAsync() => _api = await TestApi.StartAsync();

    [OneTimeTearDown]
    public async Task StopAsync() => await _api.DisposeAsync();

    private static readonly object[] Mistakes =
    [
        new object[] { Samples.Deployments, Samples.Deployment("Bad_Name"), "metadata.name: Invalid value: \"Bad_Name\": a lowercase RFC 1123 subdomain must consist of" },
        new object[] { Samples.Deployments, """{"metadata":{"name":"x"},"spec":{"template":{"spec":{"containers":[{"name":"a","image":"b"}]}}}}""", "spec.selector: Required value" },
        new object[]
        {
            Samples.Deployments, Samples.Deployment("x").Replace("\"labels\":{\"app\":\"web\"}", "\"labels\":{\"app\":\"other\"}", StringComparison.Ordinal),
            "Deployment.apps \"x\" is invalid: spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: `selector` does not match template `labels`",
        },
        new object[] { Samples.Deployments, Samples.Deployment("x", image: ""), "spec.template.spec.containers[0].image: Required value" },
        new object[] { Samples.Deployments, Samples.Deployment("x", container: ""","ports":[{"containerPort":70000}]"""), "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: 70000: must be between 1 and 65535, inclusive" },
        new object[] { Samples.Deployments, Samples.Deployment("x", container: ""","volumeMounts":[{"name":"v","mountPath":"/v"}]"""), "spec.template.spec.containers[0].volumeMounts[0].name: Not found: \"v\"" },
        new object[] { Samples.Pods, """{"metadata":{"name":"x"},"spec":{"containers":[{"name":"a","image":"b"},{"name":"a","image":"b"}]}}""", "spec.containers[1].name: Duplicate value: \"a\"" },
        new object[] { Samples.Pods, """{"metadata":{"name":"x"},"spec":{"containers":[{"name":"a","image":"b","resources":{"requests":{"memory":"2Gi"},"limits":{"memory":"1Gi"}}}]}}""", "spec.containers[0].resources.requests: Invalid value: \"2Gi\": must be less than or equal to memory limit of 1Gi" },
        new object[] { Samples.Services, """{"metadata":{"name":"x"},"spec":{}}""", "Service \"x\" is invalid: spec.ports: Required value" },
        new object[] { Samples.Services, """{"metadata":{"name":"x"},"spec":{"ports":[{"port":80},{"port":81}]}}""", "spec.ports[0].name: Required value" },
        new object[] { "/apis/batch/v1/namespaces/default/jobs", """{"metadata":{"name":"x"},"spec":{"template":{"spec":{"containers":[{"name":"a","image":"b"}]}}}}""", "spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\"" },
        new object[] { Samples.ConfigMaps, Samples.ConfigMap("x", """{"a b":"1"}"""), "data[a b]: Invalid value: \"a b\": a valid config key must consist of" },
    ];

    [TestCaseSource(nameof(Mistakes))]
    public async Task Should_say_what_is_wrong_in_the_words_of_the_api_When_an_object_has_a_mistake(string path, string body, string message)
    {
        var answer = await _api.PostAsync(path, body);

        Assert.Multiple(() =>
        {
            Assert.That((answer.Code, answer["reason"]), Is.EqualTo((422, "Invalid")));
            Assert.That(answer.Message, Does.Contain(message));
        });
    }

    private static readonly object[] Immutables =
    [
        new object[] { Samples.Deployments, Samples.Deployment("fixed"), """{"spec":{"selector":{"matchLabels":{"app":"web","more":"1"}},"template":{"metadata":{"labels":{"more":"1"}}}}}""", "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"web\",\"more\":\"1\"}}: field is immutable" },
        new object[] { "/apis/batch/v1/namespaces/default/jobs", """{"metadata":{"name":"fixed"},"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"a","image":"b"}]}}}}""", """{"spec":{"template":{"spec":{"restartPolicy":"OnFailure"}}}}""", "spec.template: Invalid value: " },
        new object[] { Samples.Services, """{"metadata":{"name":"fixed"},"spec":{"ports":[{"port":80}]}}""", """{"spec":{"clusterIP":"10.43.9.9","clusterIPs":["10.43.9.9"]}}""", "spec.clusterIPs[0]: Invalid value: []string{\"10.43.9.9\"}: may not change once set" },
        new object[] { Samples.ConfigMaps, """{"metadata":{"name":"fixed"},"immutable":true,"data":{"a":"1"}}""", """{"data":{"a":"2"}}""", "data: Forbidden: field is immutable when `immutable` is set" },
    ];

    [TestCaseSource(nameof(Immutables))]
    public async Task Should_refuse_the_change_When_a_field_cannot_change(string path, string body, string patch, string message)
    {
        await _api.PostAsync(path, body);
        var answer = await _api.PatchAsync(path + "/fixed", patch);

        Assert.That((answer.Code, answer.Message), Is.EqualTo((422, answer.Message)));
        Assert.That(answer.Message, Does.Contain(message));
    }

    [Test]
    public async Task Should_fill_in_what_controllers_rely_on_When_a_deployment_says_little()
    {
        var created = await _api.PostAsync(Samples.Deployments, Samples.Deployment("bare", container: ""","ports":[{"containerPort":80}],"readinessProbe":{"httpGet":{"port":80}}"""));
        const string Container = "spec.template.spec.containers.0.";

        Assert.Multiple(() =>
        {
            Assert.That(created["spec.replicas"], Is.EqualTo("1"));
            Assert.That(created["spec.strategy.type"], Is.EqualTo("RollingUpdate"));
            Assert.That(created["spec.strategy.rollingUpdate.maxSurge"], Is.EqualTo("25%"));
            Assert.That(created["spec.revisionHistoryLimit"], Is.EqualTo("10"));
            Assert.That(created["spec.progressDeadlineSeconds"], Is.EqualTo("600"));
            Assert.That(created["spec.template.spec.restartPolicy"], Is.EqualTo("Always"));
            Assert.That(created["spec.template.spec.terminationGracePeriodSeconds"], Is.EqualTo("30"));
            Assert.That(created[Container + "imagePullPolicy"], Is.EqualTo("IfNotPresent"));
            Assert.That(created[Container + "ports.0.protocol"], Is.EqualTo("TCP"));
            Assert.That(created[Container + "readinessProbe.periodSeconds"], Is.EqualTo("10"));
            Assert.That(created[Container + "readinessProbe.httpGet.path"], Is.EqualTo("/"));
        });
    }

    [TestCase("nginx", "Always")]
    [TestCase("nginx:latest", "Always")]
    [TestCase("nginx:1", "IfNotPresent")]
    [TestCase("registry:5000/nginx", "Always")]
    [TestCase("nginx@sha256:0000000000000000000000000000000000000000000000000000000000000000", "IfNotPresent")]
    public async Task Should_pull_always_only_When_the_tag_may_move(string image, string policy)
    {
        var created = await _api.PostAsync(Samples.Deployments + "?dryRun=All", Samples.Deployment("pulls", image));

        Assert.That(created["spec.template.spec.containers.0.imagePullPolicy"], Is.EqualTo(policy));
    }

    [Test]
    public async Task Should_give_each_service_its_own_address_When_it_asks_for_none()
    {
        var first = await _api.PostAsync(Samples.Services, """{"metadata":{"name":"one"},"spec":{"ports":[{"port":80}]}}""");
        var second = await _api.PostAsync(Samples.Services, """{"metadata":{"name":"two"},"spec":{"type":"NodePort","ports":[{"port":80,"targetPort":"http"}]}}""");
        var headless = await _api.PostAsync(Samples.Services, """{"metadata":{"name":"three"},"spec":{"clusterIP":"None","ports":[{"port":80}]}}""");

        Assert.Multiple(() =>
        {
            Assert.That(first["spec.clusterIP"], Does.StartWith("10.43."));
            Assert.That(second["spec.clusterIP"], Does.StartWith("10.43.").And.Not.EqualTo(first["spec.clusterIP"]));
            Assert.That(int.Parse(second["spec.ports.0.nodePort"]!, System.Globalization.CultureInfo.InvariantCulture), Is.InRange(30000, 32767));
            Assert.That(second["spec.ports.0.targetPort"], Is.EqualTo("http"));
            Assert.That(headless["spec.clusterIP"], Is.EqualTo("None"));
        });
    }

    [Test]
    public async Task Should_refuse_a_pod_When_the_quota_is_used_up()
    {
        await _api.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"small"}}""");
        await _api.PostAsync("/api/v1/namespaces/small/resourcequotas", """{"metadata":{"name":"q"},"spec":{"hard":{"pods":"1"}}}""");
        await _api.PostAsync("/api/v1/namespaces/small/pods", Samples.Pod("first"));
        var answer = await _api.PostAsync("/api/v1/namespaces/small/pods", Samples.Pod("second"));

        Assert.That((answer.Code, answer.Message), Is.EqualTo((403, "pods \"second\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1")));
    }

    [Test]
    public async Task Should_give_containers_their_defaults_When_the_namespace_has_a_limit_range()
    {
        await _api.PostAsync("/api/v1/namespaces", """{"metadata":{"name":"limited"}}""");
        await _api.PostAsync("/api/v1/namespaces/limited/limitranges", """
            {"metadata":{"name":"l"},"spec":{"limits":[{"type":"Container","default":{"memory":"64Mi"},"defaultRequest":{"memory":"32Mi"},"max":{"memory":"128Mi"}}]}}
            """);
        var filled = await _api.PostAsync("/api/v1/namespaces/limited/pods", Samples.Pod("p"));
        var greedy = await _api.PostAsync("/api/v1/namespaces/limited/pods", """{"metadata":{"name":"g"},"spec":{"containers":[{"name":"a","image":"b","resources":{"limits":{"memory":"1Gi"}}}]}}""");

        Assert.Multiple(() =>
        {
            Assert.That((filled["spec.containers.0.resources.limits.memory"], filled["spec.containers.0.resources.requests.memory"]), Is.EqualTo(("64Mi", "32Mi")));
            Assert.That(greedy.Message, Is.EqualTo("pods \"g\" is forbidden: maximum memory usage per Container is 128Mi, but limit is 1Gi"));
        });
    }
}
