using System.Runtime.Versioning;
using k8s;
using k8s.Models;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>Controllers with real containers under them.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
[Parallelizable(ParallelScope.Children)]
internal sealed class WorkloadTests
{
    private static TestCluster Cluster => SharedCluster.Instance;

    [Test]
    public async Task Should_Say_Failed_With_The_Reason_When_A_Job_Has_No_Try_Left()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.BatchV1.CreateNamespacedJobAsync(Job("fails", "exit 7"), ns);

        var job = await TestCluster.UntilAsync(() => Cluster.Client.BatchV1.ReadNamespacedJobAsync("fails", ns), job => job.Status.Conditions?.Any(c => c.Type == "Failed") == true);

        Assert.That(job.Status.Conditions.Single(c => c.Type == "Failed"), Has.Property("Reason").EqualTo("BackoffLimitExceeded")
            .And.Property("Message").EqualTo("Job has reached the specified backoff limit"));
    }

    [Test]
    public async Task Should_Say_Complete_When_The_Pod_Of_A_Job_Has_Succeeded()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.BatchV1.CreateNamespacedJobAsync(Job("works", "echo done"), ns);

        var job = await TestCluster.UntilAsync(() => Cluster.Client.BatchV1.ReadNamespacedJobAsync("works", ns), job => job.Status.CompletionTime is not null);

        Assert.That(job.Status.Conditions.Select(c => c.Type), Is.EqualTo(new[] { "SuccessCriteriaMet", "Complete" }));
    }

    [Test]
    public async Task Should_Say_Why_And_Come_To_Rest_When_A_Quota_Refuses_Pods()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.CoreV1.CreateNamespacedResourceQuotaAsync(
            new V1ResourceQuota { Metadata = new V1ObjectMeta { Name = "small" }, Spec = new V1ResourceQuotaSpec { Hard = new Dictionary<string, ResourceQuantity> { ["pods"] = new("1") } } }, ns);
        await Cluster.Client.AppsV1.CreateNamespacedDeploymentAsync(Deployment("web", 2), ns);

        var deployment = await TestCluster.UntilAsync(
            () => Cluster.Client.AppsV1.ReadNamespacedDeploymentAsync("web", ns), d => d.Status?.AvailableReplicas == 1 && d.Status.Conditions.Any(c => c.Type == "ReplicaFailure"));

        Assert.That(deployment.Status.Conditions.Single(c => c.Type == "ReplicaFailure"), Has.Property("Reason").EqualTo("FailedCreate").And.Property("Message").Contains("exceeded quota: small"));
        Assert.That((await Cluster.Client.CoreV1.ListNamespacedEventAsync(ns)).Items.Where(e => e.Reason == "FailedCreate").Sum(e => e.Count), Is.LessThan(30));
    }

    [Test]
    public async Task Should_Keep_Names_And_Data_When_A_Pod_Of_A_StatefulSet_Is_Replaced()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.AppsV1.CreateNamespacedStatefulSetAsync(KubernetesJson.Deserialize<V1StatefulSet>("""
            {"metadata": {"name": "db"}, "spec": {"serviceName": "db", "replicas": 2, "selector": {"matchLabels": {"app": "db"}},
             "template": {"metadata": {"labels": {"app": "db"}}, "spec": {"terminationGracePeriodSeconds": 1, "containers": [{"name": "main", "image": "local/tools:1",
               "command": ["sh", "-c", "echo started >> /data/log; cat /data/log; sleep 1000"], "volumeMounts": [{"name": "data", "mountPath": "/data"}]}]}},
             "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}}
            """), ns);
        await TestCluster.UntilAsync(() => Cluster.Client.AppsV1.ReadNamespacedStatefulSetAsync("db", ns), set => set.Status?.ReadyReplicas == 2);
        var first = (await Cluster.Client.CoreV1.ReadNamespacedPodAsync("db-0", ns)).Metadata.Uid;

        await Cluster.Client.CoreV1.DeleteNamespacedPodAsync("db-0", ns);
        await Cluster.PodAsync(ns, "db-0", pod => pod.Metadata.Uid != first && pod.Status?.ContainerStatuses?[0].Ready == true);

        await TestCluster.UntilAsync(() => Cluster.LogAsync(ns, "db-0"), log => log == "started\nstarted\n");
    }

    [Test]
    public async Task Should_Run_One_On_Each_Node_And_Replace_It_When_A_DaemonSet_Changes()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.AppsV1.CreateNamespacedDaemonSetAsync(KubernetesJson.Deserialize<V1DaemonSet>("""
            {"metadata": {"name": "agent"}, "spec": {"selector": {"matchLabels": {"app": "agent"}}, "template": {"metadata": {"labels": {"app": "agent"}},
             "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"]}]}}}}
            """), ns);
        await TestCluster.UntilAsync(() => Cluster.Client.AppsV1.ReadNamespacedDaemonSetAsync("agent", ns), set => set.Status?.NumberAvailable == 1);

        await Cluster.Client.AppsV1.PatchNamespacedDaemonSetAsync(
            new V1Patch("""{"spec": {"template": {"metadata": {"annotations": {"version": "2"}}}}}""", V1Patch.PatchType.MergePatch), "agent", ns);

        await TestCluster.UntilAsync(
            () => Cluster.Client.AppsV1.ReadNamespacedDaemonSetAsync("agent", ns),
            set => set.Status is { ObservedGeneration: 2, UpdatedNumberScheduled: 1, NumberAvailable: 1 });
    }

    [Test]
    public async Task Should_Bring_Back_The_Former_Revision_When_A_Rollout_Is_Undone()
    {
        var ns = await Cluster.NamespaceAsync();
        await Cluster.Client.AppsV1.CreateNamespacedDeploymentAsync(Deployment("web", 1), ns);
        await TestCluster.UntilAsync(() => Cluster.Client.AppsV1.ReadNamespacedDeploymentAsync("web", ns), d => d.Status?.AvailableReplicas == 1);
        var first = (await Cluster.Client.AppsV1.ListNamespacedReplicaSetAsync(ns)).Items.Single();
        await SetVersionAsync(ns, "\"2\"");
        await TestCluster.UntilAsync(async () => (await Cluster.Client.AppsV1.ListNamespacedReplicaSetAsync(ns)).Items.Count, count => count == 2);

        await SetVersionAsync(ns, "null");

        var back = await TestCluster.UntilAsync(() => Cluster.Client.AppsV1.ReadNamespacedReplicaSetAsync(first.Metadata.Name, ns), set => set.Spec.Replicas == 1 && set.Metadata.Annotations["deployment.kubernetes.io/revision"] == "3");
        Assert.That((await Cluster.Client.AppsV1.ListNamespacedReplicaSetAsync(ns)).Items, Has.Count.EqualTo(2), back.Metadata.Name);
    }

    [Test]
    public async Task Should_Pass_The_Deadline_When_A_Rollout_Does_Not_Get_On()
    {
        var ns = await Cluster.NamespaceAsync();
        var deployment = Deployment("web", 1);
        deployment.Spec.ProgressDeadlineSeconds = 3;
        deployment.Spec.Template.Spec.Containers[0].Command = ["/none"];
        await Cluster.Client.AppsV1.CreateNamespacedDeploymentAsync(deployment, ns);

        await TestCluster.UntilAsync(
            () => Cluster.Client.AppsV1.ReadNamespacedDeploymentAsync("web", ns),
            d => d.Status?.Conditions?.Any(c => c is { Type: "Progressing", Status: "False", Reason: "ProgressDeadlineExceeded" }) == true);
    }

    private static Task SetVersionAsync(string ns, string version) => Cluster.Client.AppsV1.PatchNamespacedDeploymentAsync(
        new V1Patch($$$"""{"spec": {"template": {"metadata": {"annotations": {"version": {{{version}}} } } } } }""", V1Patch.PatchType.MergePatch), "web", ns);

    private static V1Job Job(string name, string script) => KubernetesJson.Deserialize<V1Job>($$$"""
        {"metadata": {"name": "{{{name}}}"}, "spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
         "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "{{{script}}}"]}] } } } }
        """);

    private static V1Deployment Deployment(string name, int replicas) => KubernetesJson.Deserialize<V1Deployment>($$$"""
        {"metadata": {"name": "{{{name}}}"}, "spec": {"replicas": {{{replicas}}}, "selector": {"matchLabels": {"app": "{{{name}}}"} }, "template": {"metadata": {"labels": {"app": "{{{name}}}"} },
         "spec": {"terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"]}] } } } }
        """);
}
