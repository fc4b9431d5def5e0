using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Applying;

namespace Cake.K3s.Tests.Kubernetes.Applying;

public sealed class FieldOwnershipTests
{
    private static readonly JsonObject Applied = Yaml.Object("""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: api, namespace: shop, labels: {app: api}}
        spec:
          replicas: 3
          selector: {matchLabels: {app: api}}
          template:
            spec:
              containers:
                - name: api
                  image: api:1
                  args: [--run]
                  ports: [{containerPort: 80}]
                  volumeMounts: [{name: tmp, mountPath: /tmp}]
              volumes: [{name: tmp, emptyDir: {}}]
        """);

    private const string Fields = """
        {"f:metadata":{"f:labels":{"f:app":{}}},
         "f:spec":{"f:replicas":{},"f:selector":{},"f:template":{"f:spec":{
           "f:containers":{"k:{\"name\":\"api\"}":{".":{},"f:name":{},"f:image":{},"f:args":{},
             "f:ports":{"k:{\"containerPort\":80,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}},
             "f:volumeMounts":{"k:{\"mountPath\":\"/tmp\"}":{".":{},"f:mountPath":{},"f:name":{}}}}},
           "f:volumes":{"k:{\"name\":\"tmp\"}":{".":{},"f:name":{},"f:emptyDir":{}}}}}}}
        """;

    private static JsonObject Live(string fields = Fields, string manager = "cake-k3s", string operation = "Apply")
    {
        var live = Applied.DeepClone().AsObject();
        live["metadata"]!["managedFields"] = new JsonArray(new JsonObject
        {
            ["manager"] = manager,
            ["operation"] = operation,
            ["fieldsV1"] = JsonNode.Parse(fields),
        });
        return live;
    }

    private static bool OwnsAll(JsonObject live, JsonObject? applied = null) => FieldOwnership.OwnsAll(live, "cake-k3s", applied ?? Applied);

    [Test]
    public void Should_own_all_When_nobody_took_a_field() => Assert.That(OwnsAll(Live()), Is.True);

    [TestCase("\"f:replicas\":{},")]
    [TestCase("\"f:image\":{},")]
    [TestCase("\"f:labels\":{\"f:app\":{}}")]
    [TestCase("\"f:volumeMounts\":{\"k:{\\\"mountPath\\\":\\\"/tmp\\\"}\":{\".\":{},\"f:mountPath\":{},\"f:name\":{}}}")]
    public void Should_not_own_all_When_another_took(string field)
    {
        Assert.That(OwnsAll(Live(Regex.Replace(Fields.Replace(field, ""), ",\\s*}", "}"))), Is.False);
    }

    [Test]
    public void Should_own_nothing_When_it_never_applied() => Assert.That(OwnsAll(Live(manager: "kubectl")), Is.False);

    [Test]
    public void Should_own_nothing_When_it_only_updated() => Assert.That(OwnsAll(Live(operation: "Update")), Is.False);

    [Test]
    public void Should_own_the_elements_of_a_set_one_by_one()
    {
        var applied = Yaml.Object("{apiVersion: v1, kind: A, metadata: {name: a, finalizers: [x.io/a, x.io/b]}}");

        Assert.That(OwnsAll(Live("""{"f:metadata":{"f:finalizers":{".":{},"v:\"x.io/a\"":{},"v:\"x.io/b\"":{}}}}"""), applied), Is.True);
        Assert.That(OwnsAll(Live("""{"f:metadata":{"f:finalizers":{".":{},"v:\"x.io/a\"":{}}}}"""), applied), Is.False);
    }

    [Test]
    public void Should_own_a_list_as_a_whole_When_it_is_atomic()
    {
        var applied = Yaml.Object("{apiVersion: v1, kind: A, metadata: {name: a}, rules: [{verbs: [get]}]}");

        Assert.That(OwnsAll(Live("""{"f:rules":{}}"""), applied), Is.True);
    }
}
