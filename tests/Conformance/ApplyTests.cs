using k8s;

namespace Conformance;

internal sealed class ApplyTests : ClusterTest
{
    [Test]
    public async Task Should_create_then_change_nothing_When_the_same_is_applied_twice_on_the_server()
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "--server-side", "-f", "-");
        var first = await Client.AppsV1.ReadNamespacedDeploymentAsync("web", Namespace);
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "--server-side", "-f", "-");
        var second = await Client.AppsV1.ReadNamespacedDeploymentAsync("web", Namespace);

        Assert.That(second.Metadata.Generation, Is.EqualTo(first.Metadata.Generation));
    }

    [Test]
    public async Task Should_remove_what_is_no_longer_there_When_less_is_applied_on_the_server()
    {
        const string Env = "env: [{name: A, value: \"1\"}, {name: B, value: \"2\"}]";
        await KubectlWithAsync(Manifests.Deployment("web", more: Env), "apply", "--server-side", "-f", "-");
        await KubectlWithAsync(Manifests.Deployment("web", more: "env: [{name: B, value: \"2\"}]"), "apply", "--server-side", "-f", "-");

        Assert.That(await KubectlAsync("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].env[*].name}"), Is.EqualTo("B"));
    }

    [Test]
    public async Task Should_name_field_and_manager_When_two_managers_want_different_things()
    {
        await KubectlWithAsync(Manifests.Deployment("web", "a.example/x:1"), "apply", "--server-side", "--field-manager=alice", "-f", "-");
        var refused = await TryKubectlAsync(Manifests.Deployment("web", "a.example/x:2"), "apply", "--server-side", "--field-manager=bob", "-f", "-");
        var forced = await TryKubectlAsync(Manifests.Deployment("web", "a.example/x:2"), "apply", "--server-side", "--field-manager=bob", "--force-conflicts", "-f", "-");

        Assert.Multiple(() =>
        {
            Assert.That(refused.ExitCode, Is.EqualTo(1));
            Assert.That(refused.StandardError, Does.Contain("Apply failed with 1 conflict: conflict with \"alice\": .spec.template.spec.containers[name=\"app\"].image"));
            Assert.That(forced.ExitCode, Is.Zero);
        });
    }

    [Test]
    public async Task Should_say_created_configured_unchanged_When_applied_by_the_client()
    {
        var first = await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "1"), ("y", "1")), "apply", "-f", "-");
        var second = await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "2")), "apply", "-f", "-");
        var third = await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "2")), "apply", "-f", "-");
        var data = await KubectlAsync("get", "configmap", "a", "-o", "jsonpath={.data}");

        Assert.Multiple(() =>
        {
            Assert.That(first.Trim(), Is.EqualTo("configmap/a created"));
            Assert.That(second.Trim(), Is.EqualTo("configmap/a configured"));
            Assert.That(third.Trim(), Is.EqualTo("configmap/a unchanged"));
            Assert.That(data, Is.EqualTo("""{"x":"2"}"""));
        });
    }

    [Test]
    public async Task Should_merge_containers_by_name_When_the_client_applies_a_deployment_again()
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "-f", "-");
        await KubectlAsync("set", "env", "deployment/web", "EXTRA=1");
        await KubectlWithAsync(Manifests.Deployment("web", "example.invalid/app:2"), "apply", "-f", "-");
        var container = await KubectlAsync("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env[0].name}");

        Assert.That(container, Is.EqualTo("example.invalid/app:2 EXTRA"));
    }

    [Test]
    public async Task Should_take_over_from_the_client_When_apply_moves_to_the_server()
    {
        await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "1"), ("y", "1")), "apply", "-f", "-");
        await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "1"), ("y", "1")), "apply", "--server-side", "-f", "-");
        await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "1")), "apply", "--server-side", "-f", "-");

        Assert.That(await KubectlAsync("get", "configmap", "a", "-o", "jsonpath={.data}"), Is.EqualTo("""{"x":"1"}"""));
    }

    [Test]
    public async Task Should_show_the_change_and_keep_it_away_When_a_diff_is_made()
    {
        await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "1")), "apply", "--server-side", "-f", "-");
        var same = await TryKubectlAsync(Manifests.ConfigMap("a", ("x", "1")), "diff", "--server-side", "-f", "-");
        var differs = await TryKubectlAsync(Manifests.ConfigMap("a", ("x", "2")), "diff", "--server-side", "-f", "-");
        var client = await TryKubectlAsync(Manifests.ConfigMap("a", ("x", "2")), "diff", "-f", "-");

        Assert.Multiple(() =>
        {
            Assert.That((same.ExitCode, same.StandardOutput), Is.EqualTo((0, "")));
            Assert.That((differs.ExitCode, differs.StandardOutput.Contains("+  x: \"2\"", StringComparison.Ordinal)), Is.EqualTo((1, true)));
            Assert.That(client.ExitCode, Is.EqualTo(1), client.StandardError);
        });
    }

    [Test]
    public async Task Should_keep_nothing_When_it_is_a_dry_run_on_the_server()
    {
        await KubectlWithAsync(Manifests.ConfigMap("a", ("x", "1")), "apply", "--server-side", "--dry-run=server", "-f", "-");

        Assert.That((await TryKubectlAsync(null, "get", "configmap", "a")).StandardError, Does.Contain("configmaps \"a\" not found"));
    }

    [Test]
    public async Task Should_refuse_an_unknown_field_When_kubectl_validates()
    {
        var manifest = Manifests.Deployment("web").Replace("replicas: 0", "replicaz: 0", StringComparison.Ordinal);
        var client = await TryKubectlAsync(manifest, "apply", "-f", "-");
        var server = await TryKubectlAsync(manifest, "apply", "--server-side", "-f", "-");

        Assert.Multiple(() =>
        {
            Assert.That(client.StandardError, Does.Contain("strict decoding error: unknown field \"spec.replicaz\""));
            Assert.That(server.StandardError, Does.Contain(".spec.replicaz: field not declared in schema"));
        });
    }

    [Test]
    public async Task Should_say_what_is_wrong_When_an_object_is_not_valid()
    {
        var manifest = Manifests.Deployment("web").Replace("labels: {app: web}", "labels: {app: other}", StringComparison.Ordinal);
        var refused = await TryKubectlAsync(manifest, "apply", "-f", "-");

        Assert.That(refused.StandardError, Does.Contain("The Deployment \"web\" is invalid: spec.template.metadata.labels: Invalid value").And.Contain("`selector` does not match template `labels`"));
    }

    [Test]
    public async Task Should_refuse_a_new_selector_When_the_deployment_exists()
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "-f", "-");
        var refused = await TryKubectlAsync(Manifests.Deployment("web").Replace("{app: web}", "{app: web, more: x}", StringComparison.Ordinal), "apply", "-f", "-");

        Assert.That(refused.StandardError, Does.Contain("spec.selector: Invalid value").And.Contain("field is immutable"));
    }

    [Test]
    public async Task Should_delete_what_left_the_set_When_apply_prunes_by_apply_set()
    {
        var both = Manifests.ConfigMap("one", ("x", "1")) + "---\n" + Manifests.ConfigMap("two", ("x", "1"));
        var environment = new Dictionary<string, string?> { ["KUBECTL_APPLYSET"] = "true" };
        await ApplySetAsync(both);
        await ApplySetAsync(Manifests.ConfigMap("one", ("x", "1")));
        var left = await KubectlAsync("get", "configmap", "one", "two", "--ignore-not-found", "-o", "name");

        Assert.That(left.Trim(), Is.EqualTo("configmap/one"));

        async Task ApplySetAsync(string manifest)
        {
            var result = await TryKubectlAsync(manifest, environment, "apply", "--server-side", "--prune", "--applyset=configmaps/set", "-f", "-");
            Assert.That(result.ExitCode, Is.Zero, result.StandardError);
        }
    }
}
