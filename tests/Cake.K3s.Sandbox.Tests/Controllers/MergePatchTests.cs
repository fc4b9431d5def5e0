using Cake.K3s.Sandbox.Controllers.Client;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Controllers;

public sealed class MergePatchTests
{
    [Test]
    public void Should_Be_Nothing_When_Both_Are_The_Same() =>
        Assert.That(MergePatch.Between(new V1DeploymentStatus { Replicas = 1 }, new V1DeploymentStatus { Replicas = 1 }), Is.Null);

    [Test]
    public void Should_Name_Changes_And_Removals_Only_When_Members_Differ() =>
        Assert.That(
            MergePatch.Between(
                new V1PodStatus { Phase = "Pending", Message = "gone", PodIP = "10.0.0.1" },
                new V1PodStatus { Phase = "Running", PodIP = "10.0.0.1" })!.ToJsonString(),
            Is.EqualTo("""{"phase":"Running","message":null}"""));

    [Test]
    public void Should_Be_The_Whole_When_There_Was_Nothing() =>
        Assert.That(MergePatch.Between(null, new V1PodStatus { Phase = "Pending" })!.ToJsonString(), Is.EqualTo("""{"phase":"Pending"}"""));
}
