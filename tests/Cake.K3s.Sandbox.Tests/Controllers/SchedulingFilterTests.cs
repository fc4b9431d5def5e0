using Cake.K3s.Sandbox.Controllers.Scheduling;
using Cake.K3s.Sandbox.Tests.Node;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Controllers;

public sealed class SchedulingFilterTests
{
    private const string Plain = """ "containers": [{"name": "a", "image": "i", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}] """;

    [Test]
    public void Should_Fit_When_There_Is_Room() => Assert.That(Reasons(TestPods.Pod(Plain), Node(), []), Is.Empty);

    [Test]
    public void Should_Count_What_Runs_There_When_It_Looks_For_Room() =>
        Assert.That(Reasons(TestPods.Pod(Plain), Node(), [TestPods.Pod(Plain, "b"), TestPods.Pod(Plain, "c")]), Is.EqualTo(new[] { "Insufficient cpu" }));

    [Test]
    public void Should_Refuse_When_A_Taint_Is_Not_Tolerated()
    {
        var node = Node();
        node.Spec.Taints = [new V1Taint { Key = "dedicated", Value = "db", Effect = "NoSchedule" }];

        Assert.Multiple(() =>
        {
            Assert.That(Reasons(TestPods.Pod(Plain), node, []), Is.EqualTo(new[] { "node(s) had untolerated taint(s)" }));
            Assert.That(Reasons(TestPods.Pod(Plain + """, "tolerations": [{"key": "dedicated", "operator": "Exists"}] """), node, []), Is.Empty);
        });
    }

    [Test]
    public void Should_Refuse_When_The_Node_Is_Cordoned()
    {
        var node = Node();
        node.Spec.Unschedulable = true;

        Assert.That(Reasons(TestPods.Pod(Plain), node, []), Is.EqualTo(new[] { "node(s) were unschedulable" }));
    }

    [TestCase(""" "nodeSelector": {"zone": "b"} """)]
    [TestCase(""" "affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "zone", "operator": "In", "values": ["b"]}]}]}}} """)]
    public void Should_Refuse_When_The_Pod_Wants_Another_Node(string spec) =>
        Assert.That(Reasons(TestPods.Pod($"{Plain}, {spec}"), Node(), []), Is.EqualTo(new[] { "node(s) didn't match Pod's node affinity/selector" }));

    [Test]
    public void Should_Speak_As_The_Scheduler_Does_When_Nothing_Fits() =>
        Assert.That(
            SchedulingFilter.Message([[new("Insufficient cpu", EvictionHelps: true), new("Insufficient memory", EvictionHelps: true)], [new("node(s) were unschedulable")]]),
            Is.EqualTo("0/2 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/2 nodes are available: "
                + "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling."));

    [TestCase("1", "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")]
    [TestCase("3", "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    public void Should_Tell_A_Full_Node_From_One_That_Is_Too_Small_When_There_Is_No_Room(string cpu, string message)
    {
        var pod = TestPods.Pod(Plain.Replace("\"cpu\": \"1\"", $"\"cpu\": \"{cpu}\"", StringComparison.Ordinal));

        Assert.That(SchedulingFilter.Message([SchedulingFilter.Reasons(pod, Node(), [TestPods.Pod(Plain, "b"), TestPods.Pod(Plain, "c")])]), Is.EqualTo(message));
    }

    private static IEnumerable<string> Reasons(V1Pod pod, V1Node node, IReadOnlyCollection<V1Pod> onNode) => SchedulingFilter.Reasons(pod, node, onNode).Select(reason => reason.Text);

    private static V1Node Node() => new()
    {
        Metadata = new V1ObjectMeta { Name = "n1", Labels = new Dictionary<string, string> { ["zone"] = "a" } },
        Spec = new V1NodeSpec(),
        Status = new V1NodeStatus { Allocatable = new Dictionary<string, ResourceQuantity> { ["cpu"] = new("2"), ["memory"] = new("8Gi"), ["pods"] = new("110") } },
    };
}
