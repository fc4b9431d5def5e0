using System.Collections.Immutable;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Kubernetes.Manifests;

public sealed class ManifestParserTests
{
    private static readonly ManifestInputs Inputs = new()
    {
        Root = "/app",
        SettingsFile = "deploy.yaml",
        Paths = ["manifests"],
        Namespace = "shop",
        Variables = new Dictionary<string, string>
        {
            ["HOST"] = "shop.example.com",
            ["REPLICAS"] = "3",
            ["VERSION"] = "010",
            ["EVIL"] = "x\nkind: Pod",
        }.ToImmutableDictionary(),
        Secrets = new Dictionary<string, Secret?> { ["PASSWORD"] = new("12345") }.ToImmutableDictionary(),
        Images = new Dictionary<string, string?> { ["api"] = "r.example.com/shop/api@sha256:1234", ["worker"] = null }.ToImmutableDictionary(),
    };

    private static List<Manifest> Parse(string yaml) => [.. ManifestParser.Parse(yaml, "app.yaml", Inputs)];

    private static Manifest Map(string spec) => Parse($"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec:\n  {spec}").Single();

    private static Manifest Deployment(string image, string list = "containers") => Parse($"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {"{"}name: api{"}"}
        spec:
          template:
            spec:
              {list}:
                - name: api
                  image: {image}
        """).Single();

    [TestCase("a: ${REPLICAS}", 3)]
    [TestCase("a: \"${REPLICAS}\"", "3")]
    [TestCase("a: v${REPLICAS}", "v3")]
    [TestCase("a: ${VERSION}", "010")]
    [TestCase("a: https://${HOST}/${REPLICAS}", "https://shop.example.com/3")]
    [TestCase("a: $${HOST}", "${HOST}")]
    [TestCase("a: ${1:-x} $HOST $(HOST)", "${1:-x} $HOST $(HOST)")]
    public void Should_put_in_values_When_the_text_is(string yaml, object expected)
    {
        var value = Map(yaml).Node["spec"]!["a"]!.AsValue();

        Assert.That(value.ToJsonString(), Is.EqualTo(System.Text.Json.JsonSerializer.Serialize(expected)));
    }

    [TestCase("data: {a: \"x\"}\n  env: [{name: A, value: \"1\"}]\n  labels:\n    a: ${REPLICAS}", "labels", "a")]
    [TestCase("env:\n    value: ${REPLICAS}", "env", "value")]
    public void Should_leave_a_number_as_text_When_Kubernetes_wants_text(string yaml, string parent, string name)
    {
        Assert.That(Map(yaml).Node.Text("spec", parent, name), Is.EqualTo("3"));
    }

    [Test]
    public void Should_not_let_a_value_add_members()
    {
        Assert.That(Map("a: ${EVIL}").Node.Text("spec", "a"), Is.EqualTo("x\nkind: Pod"));
    }

    [Test]
    public void Should_replace_names_of_members()
    {
        Assert.That(Map("${HOST}: 1").Node.Number("spec", "shop.example.com"), Is.EqualTo(1));
    }

    [Test]
    public void Should_name_the_place_and_the_nearest_name_When_a_name_has_no_value()
    {
        Assert.That(
            () => Map("a: ${HOSTS}"),
            Throws.TypeOf<SettingsException>().With.Property("Summary").EqualTo("app.yaml:5:6: ${HOSTS} has no value; did you mean ${HOST}?"));
    }

    [Test]
    public void Should_put_a_secret_as_text_into_a_Secret()
    {
        var secret = Parse("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData:\n  password: ${PASSWORD}").Single();

        Assert.That(secret.Node.Text("stringData", "password"), Is.EqualTo("12345"));
    }

    [Test]
    public void Should_refuse_a_secret_outside_a_Secret()
    {
        Assert.That(() => Map("a: ${PASSWORD}"), Throws.TypeOf<SettingsException>().With.Message.StartsWith("app.yaml:5:6: ${PASSWORD} is a secret"));
    }

    [Test]
    public void Should_refuse_a_secret_where_base64_is_wanted()
    {
        Assert.That(
            () => Parse("apiVersion: v1\nkind: Secret\nmetadata: {name: a}\ndata:\n  password: ${PASSWORD}"),
            Throws.TypeOf<SettingsException>().With.Message.Contains("app.yaml:5:13").And.Message.Contains("stringData"));
    }

    [TestCase("containers")]
    [TestCase("initContainers")]
    [TestCase("ephemeralContainers")]
    public void Should_put_in_the_digest_of_an_image_in(string list)
    {
        Assert.That(Deployment("api", list).Node["spec"]!["template"]!["spec"]![list]![0].Text("image"), Is.EqualTo("r.example.com/shop/api@sha256:1234"));
    }

    [Test]
    public void Should_put_in_the_digest_of_an_image_in_a_CronJob()
    {
        var job = Parse("""
            apiVersion: batch/v1
            kind: CronJob
            metadata: {name: nightly}
            spec: {jobTemplate: {spec: {template: {spec: {containers: [{name: a, image: api}]}}}}}
            """).Single();

        Assert.That(job.Node.ToJsonString(), Does.Contain("api@sha256:1234"));
    }

    [Test]
    public void Should_put_in_the_digest_of_an_image_in_a_custom_resource_and_leave_other_names_there()
    {
        var rollout = Parse("""
            apiVersion: argoproj.io/v1alpha1
            kind: Rollout
            metadata: {name: api}
            spec: {template: {spec: {containers: [{name: a, image: api}, {name: b, image: other}]}}}
            """).Single();

        Assert.That(rollout.Node.ToJsonString(), Does.Contain("api@sha256:1234").And.Contain("\"other\""));
    }

    [TestCase("redis:7")]
    [TestCase("docker.io/library/redis")]
    [TestCase("redis@sha256:00")]
    public void Should_leave_an_image_elsewhere_as_it_is(string image)
    {
        Assert.That(Deployment(image).Node.ToJsonString(), Does.Contain($"\"{image}\""));
    }

    [Test]
    public void Should_name_the_place_When_nobody_defined_the_image()
    {
        Assert.That(
            () => Deployment("wroker"),
            Throws.TypeOf<SettingsException>().With.Property("Summary").EqualTo("app.yaml:9:18: there is no image 'wroker'; did you mean 'worker'?"));
    }

    [Test]
    public void Should_unfold_lists()
    {
        var manifests = Parse("""
            apiVersion: v1
            kind: List
            items:
              - {apiVersion: v1, kind: ConfigMap, metadata: {name: a}}
              - {apiVersion: v1, kind: ConfigMap, metadata: {name: b}}
            """);

        Assert.That(manifests.Select(manifest => $"{manifest} {manifest.Place}"), Is.EqualTo(new[] { "ConfigMap/a app.yaml:4:5", "ConfigMap/b app.yaml:5:5" }));
    }

    [TestCase("- a", "app.yaml:1:1: a manifest is an object")]
    [TestCase("kind: A\nmetadata: {name: a}", "app.yaml:1:1: there is no apiVersion")]
    [TestCase("apiVersion: v1\nmetadata: {name: a}", "app.yaml:1:1: there is no kind")]
    [TestCase("apiVersion: v1\nkind: 5", "app.yaml:2:7: kind must be text")]
    [TestCase("apiVersion: v1\nkind: A\nmetadata:\n  name: 5", "app.yaml:4:9: this A has no metadata.name")]
    [TestCase("apiVersion: v1\nkind: A\nmetadata:\n  generateName: a-", "give it a name")]
    public void Should_say_what_is_missing_When_a_manifest_is(string yaml, string message)
    {
        Assert.That(() => Parse(yaml), Throws.TypeOf<SettingsException>().With.Message.StartsWith(message).Or.Message.Contains(message));
    }

    [Test]
    public void Should_tell_where_a_field_stands()
    {
        var manifest = Map("a:\n    b: text");

        Assert.That(manifest.PlaceOf(manifest.Node["spec"]!["a"]!["b"]).ToString(), Is.EqualTo("app.yaml:6:8"));
    }
}
