using Cake.K3s.Sandbox.Node.Pods;
using k8s.Models;

namespace Cake.K3s.Sandbox.Tests.Node;

public sealed class PodStatusBuilderTests
{
    private const string OneContainer = """ "containers": [{"name": "api", "image": "api:1"}] """;
    private const string WithInit = """ "initContainers": [{"name": "wait", "image": "api:1"}], "containers": [{"name": "api", "image": "api:1"}] """;

    [Test]
    public void Should_Be_Pending_And_Creating_When_Nothing_Runs_Yet()
    {
        var status = Build(OneContainer, new PodObservation());

        Assert.That((status.Phase, status.ContainerStatuses[0].State.Waiting.Reason), Is.EqualTo(("Pending", "ContainerCreating")));
    }

    [Test]
    public void Should_Be_Running_And_Ready_When_Every_Container_Is()
    {
        var status = Build(OneContainer, TestPods.Observe(TestPods.Running("api")));

        Assert.That((status.Phase, status.PodIP, Condition(status, "Ready").Status), Is.EqualTo(("Running", "10.42.0.7", "True")));
    }

    [Test]
    public void Should_Name_The_Containers_When_They_Are_Not_Ready()
    {
        var status = Build(OneContainer, TestPods.Observe(TestPods.Running("api")) with { Ready = new HashSet<string>() });

        Assert.That(Condition(status, "Ready"), Has.Property(nameof(V1PodCondition.Reason)).EqualTo("ContainersNotReady")
            .And.Property(nameof(V1PodCondition.Message)).EqualTo("containers with unready status: [api]"));
    }

    [Test]
    public void Should_Show_The_Back_Off_And_How_It_Ended_When_A_Container_Crashes()
    {
        var seen = TestPods.Observe(TestPods.Exited("api", 3, restarts: 2), TestPods.Exited("api", 1, restarts: 1)) with
        {
            Waiting = new Dictionary<string, WaitReason> { ["api"] = new("CrashLoopBackOff", "back-off 20s restarting failed container=api") },
        };

        var status = Build(OneContainer, seen);

        Assert.Multiple(() =>
        {
            Assert.That(status.Phase, Is.EqualTo("Running"));
            Assert.That(status.ContainerStatuses[0].RestartCount, Is.EqualTo(2));
            Assert.That(status.ContainerStatuses[0].State.Waiting.Reason, Is.EqualTo("CrashLoopBackOff"));
            Assert.That(status.ContainerStatuses[0].LastState.Terminated.ExitCode, Is.EqualTo(3));
        });
    }

    [Test]
    public void Should_Keep_How_The_Last_One_Ended_When_The_Next_Runs()
    {
        var status = Build(OneContainer, TestPods.Observe(TestPods.Running("api", restarts: 1), TestPods.Exited("api", 137)));

        Assert.That((status.ContainerStatuses[0].State.Running is not null, status.ContainerStatuses[0].LastState.Terminated.ExitCode), Is.EqualTo((true, 137)));
    }

    [Test]
    public void Should_Show_How_It_Ended_When_It_Could_Not_Start_And_Nothing_Restarts_It()
    {
        var seen = TestPods.Observe(TestPods.Exited("api", 128)) with
        {
            Waiting = new Dictionary<string, WaitReason> { ["api"] = new("RunContainerError", "executable file not found") },
        };

        var status = Build(OneContainer + """, "restartPolicy": "Never" """, seen);

        Assert.That((status.Phase, status.ContainerStatuses[0].State.Waiting, status.ContainerStatuses[0].State.Terminated?.ExitCode), Is.EqualTo(("Failed", (V1ContainerStateWaiting?)null, (int?)128)));
    }

    [Test]
    public void Should_Be_Initializing_When_An_Init_Container_Runs()
    {
        var status = Build(WithInit, TestPods.Observe(TestPods.Running("wait")));

        Assert.Multiple(() =>
        {
            Assert.That(status.Phase, Is.EqualTo("Pending"));
            Assert.That(status.ContainerStatuses[0].State.Waiting.Reason, Is.EqualTo("PodInitializing"));
            Assert.That(Condition(status, "Initialized").Message, Is.EqualTo("containers with incomplete status: [wait]"));
        });
    }

    [Test]
    public void Should_Fail_When_An_Init_Container_Fails_And_Nothing_Restarts_It() =>
        Assert.That(Build(WithInit + """, "restartPolicy": "Never" """, TestPods.Observe(TestPods.Exited("wait", 1))).Phase, Is.EqualTo("Failed"));

    [TestCase("Never", 0, "Succeeded")]
    [TestCase("Never", 1, "Failed")]
    [TestCase("OnFailure", 0, "Succeeded")]
    [TestCase("OnFailure", 1, "Running")]
    [TestCase("Always", 0, "Running")]
    public void Should_Follow_The_Restart_Policy_When_The_Container_Has_Ended(string policy, int code, string phase) =>
        Assert.That(Build($"""{OneContainer}, "restartPolicy": "{policy}" """, TestPods.Observe(TestPods.Exited("api", code))).Phase, Is.EqualTo(phase));

    [Test]
    public void Should_Give_Reason_And_Message_When_The_Node_Has_Ended_The_Pod()
    {
        var status = Build(OneContainer, TestPods.Observe(TestPods.Exited("api", 137)) with { Evicted = new("DeadlineExceeded", "too long") });

        Assert.That((status.Phase, status.Reason, status.Message), Is.EqualTo(("Failed", "DeadlineExceeded", "too long")));
    }

    [Test]
    public void Should_Keep_The_Time_Of_A_Condition_When_It_Does_Not_Change()
    {
        var pod = TestPods.Pod(OneContainer);
        pod.Status = PodStatusBuilder.Build(pod, TestPods.Observe(TestPods.Running("api")), TestPods.Now);

        var later = PodStatusBuilder.Build(pod, TestPods.Observe(TestPods.Running("api")), TestPods.Now.AddMinutes(1));

        Assert.That(Condition(later, "Ready").LastTransitionTime, Is.EqualTo(TestPods.Now));
    }

    [Test]
    public void Should_Keep_Conditions_Of_Others_When_It_Writes_Its_Own()
    {
        var pod = TestPods.Pod(OneContainer);
        pod.Status = new V1PodStatus { Conditions = [new V1PodCondition { Type = "example.com/checked", Status = "True" }] };

        Assert.That(PodStatusBuilder.Build(pod, new PodObservation(), TestPods.Now).Conditions.Select(condition => condition.Type), Does.Contain("example.com/checked"));
    }

    [Test]
    public void Should_Not_Be_Ready_When_A_Readiness_Gate_Is_Open()
    {
        var status = Build(OneContainer + """, "readinessGates": [{"conditionType": "example.com/checked"}] """, TestPods.Observe(TestPods.Running("api")));

        Assert.That((Condition(status, "Ready").Status, Condition(status, "ContainersReady").Status), Is.EqualTo(("False", "True")));
    }

    private static V1PodStatus Build(string spec, PodObservation seen) => PodStatusBuilder.Build(TestPods.Pod(spec), seen, TestPods.Now);

    private static V1PodCondition Condition(V1PodStatus status, string type) => status.Conditions.Single(condition => condition.Type == type);
}
