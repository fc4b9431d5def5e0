using Cake.K3s.Environments;

namespace Cake.K3s.Tests.Environments;

public sealed class ClusterConnectionTests
{
    [TestCase("see why with: kubectl -n shop describe pod api-1", null, "export KUBECONFIG=/app/.sandbox/kubeconfig")]
    [TestCase("see why with: kubectl -n shop describe pod api-1", "prod", "export KUBECONFIG=/app/.sandbox/kubeconfig, and add --context prod")]
    [TestCase("correct the image's name", null, null)]
    [TestCase(null, null, null)]
    public void Should_TellHowToReachTheCluster_When_AStepIsToTypeKubectl(string? step, string? context, string? expected) =>
        Assert.That(new ClusterConnection("/app/.sandbox/kubeconfig", context, "shop").AccessFor(step), Is.EqualTo(expected));
}
