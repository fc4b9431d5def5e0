using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;

namespace Conformance;

internal sealed class ObjectTests : ClusterTest
{
    [Test]
    public async Task Should_list_every_kind_that_a_stock_cluster_has_When_kubectl_asks()
    {
        var names = (await KubectlAsync("api-resources", "--no-headers", "-o", "name")).Split('\n');

        Assert.That(names, Is.SupersetOf((string[])
        [
            "configmaps", "pods", "services", "namespaces", "nodes", "secrets", "events", "deployments.apps", "statefulsets.apps", "daemonsets.apps",
            "jobs.batch", "cronjobs.batch", "ingresses.networking.k8s.io", "networkpolicies.networking.k8s.io", "poddisruptionbudgets.policy",
            "leases.coordination.k8s.io", "endpointslices.discovery.k8s.io", "customresourcedefinitions.apiextensions.k8s.io", "roles.rbac.authorization.k8s.io",
        ]));
    }

    [Test]
    public async Task Should_explain_a_field_with_its_type_When_kubectl_asks()
    {
        var strategy = await KubectlAsync("explain", "deployment.spec.strategy.rollingUpdate");
        var containers = await KubectlAsync("explain", "pod.spec.containers");

        Assert.Multiple(() =>
        {
            Assert.That(strategy, Does.Contain("FIELD: rollingUpdate <RollingUpdateDeployment>").And.Contain("maxSurge\t<IntOrString>").And.Contain("that can be scheduled above the desired"));
            Assert.That(containers, Does.Contain("FIELD: containers <[]Container>"));
        });
    }

    [TestCase("strategic", """{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"example.invalid/app:2"}]}}}}""")]
    [TestCase("merge", """{"spec":{"template":{"spec":{"containers":[{"name":"app","image":"example.invalid/app:2"}]}}}}""")]
    [TestCase("json", """[{"op":"test","path":"/spec/replicas","value":0},{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"example.invalid/app:2"}]""")]
    public async Task Should_change_the_image_When_it_is_patched(string type, string patch)
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "-f", "-");
        await KubectlAsync("patch", "deployment", "web", "--type", type, "-p", patch);

        Assert.That(await KubectlAsync("get", "deployment", "web", "-o", "jsonpath={.spec.template.spec.containers[0].image}"), Is.EqualTo("example.invalid/app:2"));
    }

    [Test]
    public async Task Should_show_changes_as_they_happen_When_kubectl_watches()
    {
        await KubectlAsync("create", "configmap", "a", "--from-literal=x=1");
        var lines = await KubectlUntilAsync(
            lines => lines.Count(line => line.StartsWith("a ", StringComparison.Ordinal)) >= 2,
            async line =>
            {
                if (line.StartsWith("a ", StringComparison.Ordinal))
                {
                    await KubectlAsync("patch", "configmap", "a", "-p", """{"data":{"y":"2"}}""");
                }
            },
            "get", "configmaps", "--field-selector=metadata.name=a", "-w", "--no-headers");

        Assert.That(lines[1], Does.Match(@"^a +2 "));
    }

    [Test]
    public async Task Should_wait_for_what_is_in_an_object_When_kubectl_waits()
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "-f", "-");
        var waiting = KubectlAsync("wait", "deployment/web", "--for=jsonpath={.spec.replicas}=0", "--timeout=30s");
        await KubectlAsync("create", "configmap", "a");
        var deletion = KubectlAsync("wait", "configmap/a", "--for=delete", "--timeout=30s");
        await KubectlAsync("delete", "configmap", "a");
        await Task.WhenAll(waiting, deletion);

        Assert.That(await waiting, Does.Contain("condition met"));
    }

    [Test]
    public async Task Should_describe_an_object_with_its_events_When_kubectl_asks()
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "-f", "-");
        await Client.CoreV1.CreateNamespacedEventAsync(new Corev1Event
        {
            Metadata = new V1ObjectMeta { Name = "web.1" },
            InvolvedObject = new V1ObjectReference { Kind = "Deployment", ApiVersion = "apps/v1", Name = "web", NamespaceProperty = Namespace, Uid = (await Client.AppsV1.ReadNamespacedDeploymentAsync("web", Namespace)).Uid() },
            Reason = "Tested",
            Message = "hello from the test",
            Type = "Normal",
            FirstTimestamp = DateTime.UtcNow,
            LastTimestamp = DateTime.UtcNow,
            Source = new V1EventSource { Component = "conformance" },
        }, Namespace);

        var description = await KubectlAsync("describe", "deployment", "web");

        Assert.That(description, Does.Contain("StrategyType:").And.Contain("hello from the test"));
    }

    [TestCase("background", "")]
    [TestCase("foreground", "")]
    [TestCase("orphan", "child")]
    public async Task Should_do_with_the_dependents_what_the_cascade_says_When_the_owner_is_deleted(string cascade, string left)
    {
        var owner = await Client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "owner" } }, Namespace);
        await Client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap
        {
            Metadata = new V1ObjectMeta
            {
                Name = "child",
                OwnerReferences = [new V1OwnerReference { ApiVersion = "v1", Kind = "ConfigMap", Name = "owner", Uid = owner.Uid(), BlockOwnerDeletion = true }],
            },
        }, Namespace);
        await KubectlAsync("delete", "configmap", "owner", "--cascade=" + cascade, "--timeout=60s");
        if (left.Length == 0)
        {
            await KubectlAsync("wait", "configmap/child", "--for=delete", "--timeout=60s");
        }

        Assert.That((await KubectlAsync("get", "configmap", "child", "--ignore-not-found", "-o", "jsonpath={.metadata.name}")).Trim(), Is.EqualTo(left));
    }

    [Test]
    public async Task Should_serve_a_new_kind_When_it_is_defined()
    {
        await KubectlWithAsync(Manifests.WidgetDefinition, "apply", "--server-side", "-f", "-");
        try
        {
            await KubectlAsync("wait", "crd/widgets.conformance.example.com", "--for=condition=Established", "--timeout=30s");
            await KubectlWithAsync(Manifests.Widget("w", "red"), "apply", "-f", "-");
            var row = await KubectlAsync("get", "wdg", "w", "--no-headers");
            var refused = await TryKubectlAsync(Manifests.Widget("v", "blue"), "apply", "-f", "-");

            Assert.Multiple(() =>
            {
                Assert.That(row, Does.Match(@"^w +3\b"));
                Assert.That(refused.StandardError, Does.Contain("spec.color: Unsupported value: \"blue\": supported values: \"red\", \"green\""));
            });
        }
        finally
        {
            await KubectlAsync("delete", "crd", "widgets.conformance.example.com", "--ignore-not-found", "--timeout=60s");
        }
    }

    [Test]
    public async Task Should_refuse_the_slower_of_two_writers_When_both_read_the_same_state()
    {
        var read = await Client.CoreV1.CreateNamespacedConfigMapAsync(new V1ConfigMap { Metadata = new V1ObjectMeta { GenerateName = "a-" }, Data = new Dictionary<string, string> { ["x"] = "1" } }, Namespace);
        var other = await Client.CoreV1.ReadNamespacedConfigMapAsync(read.Name(), Namespace);
        other.Data["x"] = "2";
        await Client.CoreV1.ReplaceNamespacedConfigMapAsync(other, other.Name(), Namespace);
        read.Data["x"] = "3";

        Assert.That(
            async () => await Client.CoreV1.ReplaceNamespacedConfigMapAsync(read, read.Name(), Namespace),
            Throws.InstanceOf<HttpOperationException>().With.Property("Response").Property("StatusCode").EqualTo(HttpStatusCode.Conflict));
    }

    [Test]
    public async Task Should_miss_nothing_When_a_watch_resumes_where_a_list_ended()
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var list = await Client.CoreV1.ListNamespacedSecretAsync(Namespace, cancellationToken: timeout.Token);
        await KubectlAsync("create", "secret", "generic", "a", "--from-literal=x=1");
        await KubectlAsync("label", "secret", "a", "y=z");
        await KubectlAsync("delete", "secret", "a");
        var seen = new List<WatchEventType>();
        await foreach (var (type, _) in Client.CoreV1.WatchListNamespacedSecretAsync(Namespace, resourceVersion: list.ResourceVersion(), fieldSelector: "metadata.name=a", cancellationToken: timeout.Token))
        {
            seen.Add(type);
            if (seen.Count == 3)
            {
                break;
            }
        }

        Assert.That(seen, Is.EqualTo((WatchEventType[])[WatchEventType.Added, WatchEventType.Modified, WatchEventType.Deleted]));
    }

    [Test]
    public async Task Should_list_the_objects_When_the_client_is_a_generic_one()
    {
        await KubectlWithAsync(Manifests.Deployment("web"), "apply", "-f", "-");
        using var generic = new GenericClient(Client, "apps", "v1", "deployments", disposeClient: false);
        var list = await generic.ListNamespacedAsync<V1DeploymentList>(Namespace);

        Assert.That(list.Items.Single().Name(), Is.EqualTo("web"));
    }

    [Test]
    public async Task Should_page_through_a_list_When_there_is_a_limit()
    {
        for (var at = 0; at < 5; at++)
        {
            await Client.CoreV1.CreateNamespacedSecretAsync(new V1Secret { Metadata = new V1ObjectMeta { Name = $"s{at}", Labels = new Dictionary<string, string> { ["paged"] = "yes" } } }, Namespace);
        }

        var names = new List<string>();
        string? next = null;
        do
        {
            var page = await Client.CoreV1.ListNamespacedSecretAsync(Namespace, labelSelector: "paged=yes", limit: 2, continueParameter: next);
            Assert.That(page.Items, Has.Count.LessThanOrEqualTo(2));
            names.AddRange(page.Items.Select(item => item.Name()));
            next = page.Continue();
        }
        while (!string.IsNullOrEmpty(next));

        Assert.That(names, Is.EqualTo((string[])["s0", "s1", "s2", "s3", "s4"]));
    }
}
