using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;

namespace Cake.K3s.Tests.Kubernetes.Applying;

public sealed class DesiredObjectTests
{
    private static readonly ApplySet Set = new("shop", "shop");

    private static JsonObject Desired(string yaml, string? ns = "shop") => DesiredObject.Of(Yaml.Manifest(yaml), ns, Set).ToNode();

    private static JsonObject Map(string value = "1") =>
        Desired($"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: a}}, data: {{value: \"{value}\"}}}}");

    private static string? HashOf(JsonObject node) => node.Annotation(DesiredObject.HashAnnotation);

    [Test]
    public void Should_join_the_set_in_its_namespace()
    {
        var desired = Map();

        Assert.That(desired.NamespaceName(), Is.EqualTo("shop"));
        Assert.That(desired.Label("applyset.kubernetes.io/part-of"), Is.EqualTo(Set.Id));
    }

    [Test]
    public void Should_have_no_namespace_When_its_type_has_none()
    {
        Assert.That(Desired("{apiVersion: v1, kind: Namespace, metadata: {name: shop, namespace: shop}}", ns: null).NamespaceName(), Is.Null);
    }

    [Test]
    public void Should_have_another_hash_When_and_only_when_it_says_something_else()
    {
        Assert.That(HashOf(Map()), Is.Not.EqualTo(HashOf(Map("2"))));
        Assert.That(
            HashOf(Desired("{data: {value: \"1\"}, kind: ConfigMap, metadata: {name: a}, apiVersion: v1}")),
            Is.EqualTo(HashOf(Map())));
    }

    [Test]
    public void Should_have_the_same_hash_When_it_is_prepared_again()
    {
        var again = DesiredObject.Of(Cake.K3s.Kubernetes.Manifests.Manifest.Of(Map(), "release 1"), "shop", Set).ToNode();

        Assert.That(HashOf(again), Is.EqualTo(HashOf(Map())));
    }

    [Test]
    public void Should_leave_the_manifest_as_it_is()
    {
        var manifest = Yaml.Manifest("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}}");
        var before = manifest.Node.ToJsonString();

        DesiredObject.Of(manifest, "shop", Set).ToNode();

        Assert.That(manifest.Node.ToJsonString(), Is.EqualTo(before));
    }

    [Test]
    public void Should_send_the_texts_of_a_Secret_as_data()
    {
        var node = Desired("{apiVersion: v1, kind: Secret, metadata: {name: a}, data: {a: eA==, b: eQ==}, stringData: {b: new}}");

        Assert.That(node["data"]!.ToJsonString(), Is.EqualTo("""{"a":"eA==","b":"bmV3"}"""));
        Assert.That(node.ContainsKey("stringData"), Is.False);
    }

    [Test]
    public void Should_name_the_set_by_the_formula_of_the_KEP()
    {
        // sha256("cake-k3s-shop.shop.ConfigMap.") in unpadded URL-safe base64
        Assert.That(Set.Id, Does.Match("^applyset-[A-Za-z0-9_-]{43}-v1$"));
        Assert.That(Set.Id, Is.Not.EqualTo(new ApplySet("shop", "other").Id));
        Assert.That(Set.Id.Length, Is.LessThanOrEqualTo(63));
    }

    [Test]
    public void Should_read_back_what_the_parent_says()
    {
        var contents = new ApplySetContents(["ConfigMap", "Deployment.apps"], ["shop", "other"]);

        var read = ApplySet.Read(Set.ParentNode(contents));

        Assert.That(read.Kinds, Is.EqualTo(contents.Kinds));
        Assert.That(read.Namespaces, Is.EqualTo(contents.Namespaces));
    }

    [Test]
    public void Should_be_as_applied_When_nothing_drifted()
    {
        Assert.That(Rehearsal.IsAsApplied(Live(Map()), Map()), Is.True);
    }

    [Test]
    public void Should_not_be_as_applied_When_the_manifest_changed()
    {
        Assert.That(Rehearsal.IsAsApplied(Live(Map()), Map("2")), Is.False);
    }

    [Test]
    public void Should_not_be_as_applied_When_somebody_took_a_field()
    {
        var live = Live(Map());
        live.At("metadata", "managedFields")![0]!["fieldsV1"]!.AsObject().Remove("f:data");

        Assert.That(Rehearsal.IsAsApplied(live, Map()), Is.False);
    }

    [Test]
    public void Should_not_be_as_applied_When_a_value_is_another()
    {
        var live = Live(Map());
        live["data"]!["value"] = "drifted";

        Assert.That(Rehearsal.IsAsApplied(live, Map()), Is.False);
    }

    [Test]
    public void Should_not_be_as_applied_When_it_is_being_deleted()
    {
        var live = Live(Map());
        live["metadata"]!["deletionTimestamp"] = "2026-01-01T00:00:00Z";

        Assert.That(Rehearsal.IsAsApplied(live, Map()), Is.False);
    }

    [TestCase("ConfigMap", "{}", true)]
    [TestCase("PersistentVolumeClaim", "{}", false)]
    [TestCase("Namespace", "{}", false)]
    [TestCase("ConfigMap", "{annotations: {cake-k3s/prune: \"false\"}}", false)]
    [TestCase("ConfigMap", "{ownerReferences: [{controller: true}]}", false)]
    public void Should_prune_only_what_can_be_made_anew(string kind, string metadata, bool allowed)
    {
        var live = Live(Desired($"{{apiVersion: v1, kind: {kind}, metadata: {{name: a}}}}"));
        foreach (var (name, value) in Yaml.Object(metadata))
        {
            foreach (var (inner, text) in value as JsonObject ?? [])
            {
                live["metadata"]!.AsObject().Child(name)[inner] = text?.DeepClone();
            }

            if (value is JsonArray)
            {
                live["metadata"]![name] = value.DeepClone();
            }
        }

        Assert.That(Pruning.IsAllowed(live), Is.EqualTo(allowed));
    }

    [Test]
    public void Should_not_prune_what_only_carries_the_label()
    {
        var copied = Map().DeepClone().AsObject();
        copied["metadata"]!["managedFields"] = new JsonArray(new JsonObject { ["manager"] = "kubectl", ["operation"] = "Update", ["fieldsV1"] = new JsonObject() });

        Assert.That(Pruning.IsAllowed(copied), Is.False);
    }

    [TestCase("v1", "Namespace", Wave.Foundation)]
    [TestCase("apiextensions.k8s.io/v1", "CustomResourceDefinition", Wave.Foundation)]
    [TestCase("rbac.authorization.k8s.io/v1", "RoleBinding", Wave.Configuration)]
    [TestCase("v1", "Service", Wave.Services)]
    [TestCase("apps/v1", "Deployment", Wave.Workloads)]
    [TestCase("example.com/v1", "Anything", Wave.Workloads)]
    [TestCase("networking.k8s.io/v1", "NetworkPolicy", Wave.Configuration)]
    [TestCase("networking.k8s.io/v1", "Ingress", Wave.Ingress)]
    [TestCase("traefik.io/v1alpha1", "Middleware", Wave.Ingress)]
    [TestCase("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration", Wave.Webhooks)]
    public void Should_put_a_type_into_its_wave(string apiVersion, string kind, Wave wave)
    {
        Assert.That(Waves.Of(GroupVersionKind.Of(apiVersion, kind)), Is.EqualTo(wave));
    }

    /// <summary>What the API would hold after an apply.</summary>
    private static JsonObject Live(JsonObject desired)
    {
        var live = desired.DeepClone().AsObject();
        live["metadata"]!["managedFields"] = new JsonArray(new JsonObject
        {
            ["manager"] = "cake-k3s",
            ["operation"] = "Apply",
            ["fieldsV1"] = Fields(new JsonObject(desired.Where(member => member.Key is not ("apiVersion" or "kind")).Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())))),
        });
        return live;

        static JsonObject Fields(JsonObject node) => new(node.Select(member =>
            KeyValuePair.Create("f:" + member.Key, (JsonNode?)(member.Value is JsonObject child ? Fields(child) : []))));
    }
}
