namespace Conformance;

internal sealed class RefusalTests : ClusterTest
{
    // kubectl takes for JSON what begins with a brace.
    private const string Yaml = "---\n";

    private const string Pod = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {MORE, containers: [{name: a, image: \"example.invalid/app:1\"CONTAINER}]}}";

    private static readonly TestCaseData[] Mistakes =
    [
        new TestCaseData("{apiVersion: v1, kind: Nope, metadata: {name: a}}", "no matches for kind \"Nope\" in version \"v1\"").SetArgDisplayNames("unknown kind"),
        new TestCaseData("{apiVersion: nope.example/v1, kind: Nope, metadata: {name: a}}", "no matches for kind \"Nope\" in version \"nope.example/v1\"").SetArgDisplayNames("unknown group"),
        new TestCaseData(OnePod("serviceAccountName: nobody"), "pods \"p\" is forbidden: error looking up service account SPACE/nobody: serviceaccount \"nobody\" not found").SetArgDisplayNames("service account"),
        new TestCaseData(OnePod("tolerations: [{key: a, operator: Foo}]"), "spec.tolerations[0].operator: Unsupported value: \"Foo\": supported values: \"Equal\", \"Exists\"").SetArgDisplayNames("toleration"),
        new TestCaseData(OnePod("hostname: A_b"), "spec.hostname: Invalid value: \"A_b\": a lowercase RFC 1123 label must consist of").SetArgDisplayNames("hostname"),
        new TestCaseData(OnePod("restartPolicy: Never", ", envFrom: [{configMapRef: {}}]"), "spec.containers[0].envFrom[0].configMapRef.name: Required value").SetArgDisplayNames("envFrom"),
        new TestCaseData(OnePod("restartPolicy: Never", ", securityContext: {runAsUser: -1}"), "spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive").SetArgDisplayNames("user"),
        new TestCaseData(OnePod("restartPolicy: Never", ", securityContext: {privileged: true, allowPrivilegeEscalation: false}"), "cannot set `allowPrivilegeEscalation` to false and `privileged` to true").SetArgDisplayNames("privileged"),
        new TestCaseData("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r}, rules: [{resources: [a], verbs: []}]}", "rules[0].apiGroups: Required value: resource rules must supply at least one api group").SetArgDisplayNames("role"),
        new TestCaseData("{apiVersion: v1, kind: LimitRange, metadata: {name: r}, spec: {limits: [{type: Container, default: {memory: 1Gi}, max: {memory: 512Mi}}]}}", "default value 1Gi is greater than max value 512Mi").SetArgDisplayNames("limit range"),
        new TestCaseData("{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: conformance-high}, value: 2000000001}", "value: Forbidden: maximum allowed value of a user defined priority is 1000000000").SetArgDisplayNames("priority"),
    ];

    [TestCaseSource(nameof(Mistakes))]
    public async Task Should_say_what_is_wrong_When_an_object_has_a_mistake(string manifest, string message)
    {
        var result = await TryKubectlAsync(Yaml + manifest, "create", "--dry-run=server", "-f", "-");

        Assert.That(result.StandardError, Does.Contain(message.Replace("SPACE", Namespace)));
    }

    [Test]
    public async Task Should_name_the_element_by_its_key_When_a_field_of_it_is_unknown()
    {
        var result = await TryKubectlAsync(Manifests.Deployment("web", more: "nope: 1"), "apply", "--server-side", "--validate=false", "-f", "-");

        Assert.That(result.StandardError, Does.StartWith(
            $"Error from server: failed to create typed patch object ({Namespace}/web; apps/v1, Kind=Deployment): .spec.template.spec.containers[name=\"app\"].nope: field not declared in schema"));
    }

    [TestCase("default")]
    [TestCase("kube-system")]
    public async Task Should_keep_the_namespaces_that_every_cluster_has_When_one_is_to_be_deleted(string name)
    {
        var result = await TryKubectlAsync(null, "delete", "namespace", name, "--dry-run=server");

        Assert.That(result.StandardError, Does.Contain($"namespaces \"{name}\" is forbidden: this namespace may not be deleted"));
    }

    [TestCase("pods", "field label not supported: spec.nope")]
    [TestCase("configmaps", "\"spec.nope\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"")]
    public async Task Should_say_that_a_field_cannot_be_selected_by_When_it_is_asked_for(string resource, string message)
    {
        var result = await TryKubectlAsync(null, "get", resource, "--field-selector=spec.nope=1");

        Assert.That(result.StandardError, Does.Contain(message));
    }

    [Test]
    public async Task Should_say_why_no_node_will_ever_do_When_a_pod_asks_for_more_than_there_is()
    {
        await KubectlWithAsync(Yaml + OnePod("restartPolicy: Never", ", resources: {requests: {memory: 900Ti}}"), "create", "-f", "-");

        await KubectlAsync("wait", "pod/p", "--for=jsonpath={.status.conditions[?(@.type==\"PodScheduled\")].reason}=Unschedulable", "--timeout=60s");
        var message = await KubectlAsync("get", "pod", "p", "-o", "jsonpath={.status.conditions[?(@.type==\"PodScheduled\")].message}");

        Assert.That(message, Does.Match(@"^0/(\d+) nodes are available: .*\d+ Insufficient memory.*\. .*preemption: 0/\1 nodes are available: \1 Preemption is not helpful for scheduling\.$"));
    }

    private static string OnePod(string more, string container = "") => Pod.Replace("MORE", more).Replace("CONTAINER", container);
}
