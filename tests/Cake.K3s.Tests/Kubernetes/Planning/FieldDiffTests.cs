using Cake.K3s.Kubernetes.Planning;

namespace Cake.K3s.Tests.Kubernetes.Planning;

public sealed class FieldDiffTests
{
    private static string[] Diff(string before, string after) =>
        [.. FieldDiff.Between(Yaml.Object(before), Yaml.Object(after)).Select(change => $"{change.Path} {change.Before?.ToJsonString() ?? "-"} {change.After?.ToJsonString() ?? "-"}")];

    [Test]
    public void Should_name_the_fields_that_differ()
    {
        Assert.That(
            Diff("spec: {replicas: 3, paused: true, same: 1}", "spec: {replicas: 4, same: 1, added: {a: 1}}"),
            Is.EqualTo(new[] { "spec.replicas 3 4", "spec.paused true -", "spec.added - {\"a\":1}" }));
    }

    [Test]
    public void Should_match_elements_by_name_When_their_order_changed_too()
    {
        Assert.That(
            Diff("containers: [{name: a, image: x:1}, {name: b, image: y:1}]", "containers: [{name: b, image: y:2}, {name: a, image: x:1}]"),
            Is.EqualTo(new[] { "containers[b].image \"y:1\" \"y:2\"" }));
    }

    [Test]
    public void Should_match_elements_by_place_When_they_have_no_names()
    {
        Assert.That(Diff("rules: [{verbs: [get]}, {verbs: [list]}]", "rules: [{verbs: [get]}, {verbs: [watch]}]"), Is.EqualTo(new[] { "rules[1].verbs [\"list\"] [\"watch\"]" }));
    }

    [Test]
    public void Should_put_names_with_dots_in_brackets()
    {
        Assert.That(Diff("data: {nginx.conf: a}", "data: {nginx.conf: b}"), Is.EqualTo(new[] { "data[nginx.conf] \"a\" \"b\"" }));
    }

    [Test]
    public void Should_leave_out_what_the_api_keeps_for_itself()
    {
        Assert.That(
            Diff("metadata: {resourceVersion: 1, managedFields: [1], annotations: {cake-k3s/applied: a}}\nstatus: {a: 1}", "metadata: {resourceVersion: 2}\nstatus: {}"),
            Is.Empty);
    }

    [Test]
    public void Should_show_the_lines_of_a_text_that_differ()
    {
        Assert.That(LineDiff.Between("a\nb\nc\nd", "a\nc\nx\nd"), Is.EqualTo(new[] { "  - b", "  + x" }));
    }
}
