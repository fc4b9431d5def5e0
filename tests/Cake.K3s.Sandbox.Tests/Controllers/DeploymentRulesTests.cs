using Cake.K3s.Sandbox.Controllers.Workloads;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Controllers;

public sealed class DeploymentRulesTests
{
    private static readonly DateTime Now = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    [TestCase("25%", "25%", 3, 1, 0, Description = "surge rounds up, unavailability down")]
    [TestCase("25%", "25%", 10, 3, 2)]
    [TestCase("1", "0", 3, 1, 0)]
    [TestCase("0", "0%", 3, 0, 1, Description = "both zero would never move")]
    [TestCase("1", "5", 3, 1, 3, Description = "no more can be missing than there are")]
    public void Should_Round_As_Kubernetes_Does_When_Limits_Are_Percentages(string surge, string unavailable, int replicas, int maxSurge, int maxUnavailable) =>
        Assert.That(RollingUpdate.Limits(Deployment(replicas, surge, unavailable)), Is.EqualTo((maxSurge, maxUnavailable)));

    [Test]
    public void Should_Be_The_Same_Template_When_Only_The_Hash_Label_And_Empty_Members_Differ()
    {
        var one = Template("""{"metadata": {"labels": {"app": "api"}}, "spec": {"containers": [{"name": "api", "image": "i:1"}]}}""");
        var other = Template("""{"metadata": {"labels": {"app": "api", "pod-template-hash": "x"}, "annotations": {}}, "spec": {"containers": [{"image": "i:1", "name": "api", "env": []}]}}""");

        Assert.That((PodTemplates.Same(one, other), PodTemplates.Hash(one, null) == PodTemplates.Hash(other, null)), Is.EqualTo((true, true)));
    }

    [Test]
    public void Should_Be_Another_Template_When_The_Image_Differs()
    {
        var one = Template("""{"spec": {"containers": [{"name": "api", "image": "i:1"}]}}""");
        var other = Template("""{"spec": {"containers": [{"name": "api", "image": "i:2"}]}}""");

        Assert.That((PodTemplates.Same(one, other), PodTemplates.Hash(one, null) == PodTemplates.Hash(other, null)), Is.EqualTo((false, false)));
    }

    [Test]
    public void Should_Be_Progressing_When_A_Pod_Becomes_Ready()
    {
        var deployment = Deployment(2);
        deployment.Status = DeploymentStatus.Of(deployment, Set(2, 0), [Set(2, 0)], Now);

        var status = DeploymentStatus.Of(deployment, Set(2, 1), [Set(2, 1)], Now.AddSeconds(5));

        Assert.That(DeploymentStatus.Find(status, "Progressing"), Has.Property("Reason").EqualTo("ReplicaSetUpdated").And.Property("LastUpdateTime").EqualTo(Now.AddSeconds(5)));
    }

    [Test]
    public void Should_Be_Complete_When_All_Replicas_Are_Available()
    {
        var status = DeploymentStatus.Of(Deployment(2), Set(2, 2), [Set(2, 2)], Now);

        Assert.Multiple(() =>
        {
            Assert.That(DeploymentStatus.Find(status, "Progressing")!.Reason, Is.EqualTo("NewReplicaSetAvailable"));
            Assert.That(DeploymentStatus.Find(status, "Progressing")!.Message, Is.EqualTo("ReplicaSet \"api-1\" has successfully progressed."));
            Assert.That(DeploymentStatus.Find(status, "Available")!.Status, Is.EqualTo("True"));
        });
    }

    [Test]
    public void Should_Exceed_The_Deadline_When_Nothing_Happens_For_As_Long()
    {
        var deployment = Deployment(2);
        deployment.Status = DeploymentStatus.Of(deployment, Set(2, 1), [Set(2, 1)], Now);

        Assert.That(DeploymentStatus.UntilDeadline(deployment, deployment.Status, Now)!.Value.TotalSeconds, Is.EqualTo(60).Within(0.2));
        var late = DeploymentStatus.Of(deployment, Set(2, 1), [Set(2, 1)], Now.AddSeconds(61));
        Assert.That(DeploymentStatus.Find(late, "Progressing"), Has.Property("Status").EqualTo("False").And.Property("Reason").EqualTo("ProgressDeadlineExceeded"));
    }

    [Test]
    public void Should_Tell_That_Pods_Cannot_Be_Made_When_The_ReplicaSet_Says_So()
    {
        var set = Set(0, 0);
        set.Status.Conditions = [new V1ReplicaSetCondition { Type = "ReplicaFailure", Status = "True", Reason = "FailedCreate", Message = "exceeded quota" }];

        var status = DeploymentStatus.Of(Deployment(2), set, [set], Now);

        Assert.That(DeploymentStatus.Find(status, "ReplicaFailure"), Has.Property("Reason").EqualTo("FailedCreate").And.Property("Message").EqualTo("exceeded quota"));
    }

    private static V1Deployment Deployment(int replicas, string surge = "25%", string unavailable = "25%") => new()
    {
        Metadata = new V1ObjectMeta { Name = "api", Generation = 1 },
        Spec = new V1DeploymentSpec
        {
            Replicas = replicas,
            ProgressDeadlineSeconds = 60,
            Strategy = new V1DeploymentStrategy { RollingUpdate = new V1RollingUpdateDeployment { MaxSurge = surge, MaxUnavailable = unavailable } },
        },
    };

    private static V1ReplicaSet Set(int replicas, int available) => new()
    {
        Metadata = new V1ObjectMeta { Name = "api-1" },
        Spec = new V1ReplicaSetSpec { Replicas = replicas },
        Status = new V1ReplicaSetStatus { Replicas = replicas, ReadyReplicas = available, AvailableReplicas = available },
    };

    private static V1PodTemplateSpec Template(string json) => KubernetesJson.Deserialize<V1PodTemplateSpec>(json);
}
