using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;

namespace Cake.K3s.Tests.Kubernetes.Manifests;

public sealed class YamlReaderTests
{
    private static List<JsonNode> Read(string yaml) => YamlReader.Read(yaml, new SourceMap("app.yaml"));

    // Expected values are what kubectl 1.32 prints for them; YamlAsKubectlReadsItTests asks kubectl itself.
    [TestCase("0644", "420")]
    [TestCase("-0644", "-420")]
    [TestCase("0o17", "15")]
    [TestCase("0b11", "3")]
    [TestCase("0x1F", "31")]
    [TestCase("0x", "\"0x\"")]
    [TestCase("089", "89")]
    [TestCase("1_000", "1000")]
    [TestCase("_1", "\"_1\"")]
    [TestCase("+5", "5")]
    [TestCase("1e3", "1000")]
    [TestCase("1e", "\"1e\"")]
    [TestCase("1e400", "\"1e400\"")]
    [TestCase("1.10", "1.1")]
    [TestCase("1.0", "1")]
    [TestCase("1.", "1")]
    [TestCase(".5", "0.5")]
    [TestCase(".e3", "\".e3\"")]
    [TestCase("1:30", "\"1:30\"")]
    [TestCase("2026-01-01", "\"2026-01-01\"")]
    [TestCase("on", "true")]
    [TestCase("y", "true")]
    [TestCase("No", "false")]
    [TestCase("~", "null")]
    [TestCase("'5'", "\"5\"")]
    [TestCase("\"on\"", "\"on\"")]
    [TestCase("!!str 5", "\"5\"")]
    [TestCase("! 5", "\"5\"")]
    [TestCase("!!float 5", "5")]
    [TestCase("!!binary aGk=", "\"hi\"")]
    public void Should_mean_what_kubectl_says_When_the_scalar_is(string yaml, string json)
    {
        Assert.That(Read($"a: {yaml}")[0].ToJsonString(), Is.EqualTo($$"""{"a":{{json}}}"""));
    }

    [TestCase("on: x", "true")]
    [TestCase("n: x", "false")]
    [TestCase("1: x", "1")]
    [TestCase("1.5: x", "1.5")]
    [TestCase("'on': x", "on")]
    public void Should_name_the_member_as_kubectl_does_When_the_key_is(string yaml, string name)
    {
        Assert.That(Read(yaml)[0].AsObject().Single().Key, Is.EqualTo(name));
    }

    [Test]
    public void Should_unfold_anchors_and_merge_keys()
    {
        var node = Read("""
            base: &base {a: 1, b: 2}
            merged: {b: 3, <<: *base}
            several: {<<: [{a: 7}, *base]}
            again: *base
            """)[0];

        Assert.That(
            node.ToJsonString(),
            Is.EqualTo("""{"base":{"a":1,"b":2},"merged":{"b":3,"a":1},"several":{"a":7,"b":2},"again":{"a":1,"b":2}}"""));
    }

    [Test]
    public void Should_leave_out_empty_documents()
    {
        Assert.That(Read("---\n# nothing\n---\na: 1\n---\n---\nb: 2\n"), Has.Count.EqualTo(2));
    }

    [TestCase("a: [1", "app.yaml:2:1: this is not YAML")]
    [TestCase("a: 1\nb: 2\na: 3", "app.yaml:3:1: 'a' is said twice")]
    [TestCase("a:\n  - *none", "app.yaml:2:5: there is no anchor 'none' above")]
    [TestCase("a: &a [*a]", "app.yaml:1:8")]
    [TestCase("a: {b: ${NAME}}", "quotes")]
    [TestCase("a: .inf", "app.yaml:1:4: an infinite number")]
    public void Should_say_where_and_why_When_the_text_is_wrong(string yaml, string message)
    {
        Assert.That(() => Read(yaml), Throws.TypeOf<SettingsException>().With.Message.Contains(message));
    }

    [Test]
    public void Should_refuse_a_bomb()
    {
        var bomb = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x]\n");
        for (var i = 1; i < 12; i++)
        {
            bomb.Append($"a{i}: &a{i} [{string.Join(',', Enumerable.Repeat($"*a{i - 1}", 9))}]\n");
        }

        Assert.That(() => Read(bomb.ToString()), Throws.TypeOf<SettingsException>().With.Message.Contains("aliases"));
    }

    [Test]
    public void Should_refuse_a_text_that_is_nested_without_end()
    {
        Assert.That(() => Read(new string('[', 50_000)), Throws.TypeOf<SettingsException>().With.Message.Contains("deep"));
    }

    [Test]
    public void Should_refuse_a_file_of_10_MB()
    {
        Assert.That(() => Read(new string('#', 10 << 20)), Throws.TypeOf<SettingsException>().With.Message.Contains("10.0 MB is too large"));
    }

    [Test]
    public void Should_refuse_5000_documents_in_one_file()
    {
        Assert.That(
            () => Read(string.Concat(Enumerable.Repeat("---\na: 1\n", 5_000))),
            Throws.TypeOf<SettingsException>().With.Message.Contains("more than 4000 documents"));
    }
}
