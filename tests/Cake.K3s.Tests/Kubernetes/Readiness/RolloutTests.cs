using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Reporting;
using static Cake.K3s.Tests.Kubernetes.Readiness.Given;

namespace Cake.K3s.Tests.Kubernetes.Readiness;

public sealed class RolloutTests
{
    private static readonly ObjectKey Api = new(new("apps", "v1", "Deployment"), "shop", "api");

    private readonly List<WorkloadChanged> _reported = [];

    [SetUp]
    public void Forget() => _reported.Clear();

    [Test]
    public void Should_Succeed_When_EveryTargetIsReady()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 1), ReplicaSet("new", 2), Pod(Running(0, ready: true), ready: true));

        Assert.That(rollout.Judge(Start.AddSeconds(20))!.Succeeded);
    }

    [Test]
    public void Should_GoOn_When_ObjectIsNotThereYet() => Assert.That(Watch().Judge(Start.AddSeconds(1)), Is.Null);

    [Test]
    public void Should_LookAgain_When_ContainersHaveSettled()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 1), ReplicaSet("new", 2), Pod(Running(0, ready: true), ready: true));

        Assert.That(rollout.Judge(Start.AddSeconds(5)), Is.Null);
        Assert.That(rollout.LookAgainAt, Is.EqualTo(Start.AddSeconds(12)));
        Assert.That(rollout.Judge(Start.AddSeconds(12))!.Succeeded);
    }

    [Test]
    public void Should_NameWorkloadPodContainerAndReason_When_Fatal()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2), Pod(Waiting("ErrImagePull", "reg/api:1: not found")));

        var outcome = rollout.Judge(Start.AddSeconds(2))!;

        Assert.That(outcome.Failures.Single().ToString(), Is.EqualTo("Deployment/api, pod api-new-1, container api: ErrImagePull: reg/api:1: not found"));
    }

    [Test]
    public void Should_FailAtDeadline_When_AvailabilityFlaps()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2));
        for (var second = 1; second < 60; second += 2)
        {
            See(rollout, Pod(Running(second, ready: second % 4 == 1), ready: second % 4 == 1));
            Assert.That(rollout.Judge(Start.AddSeconds(second)), Is.Null);
        }

        var verdict = rollout.Judge(Start.AddSeconds(60))!.Failures.Single().Verdict;
        Assert.That(verdict.Reason, Is.EqualTo("DeadlineExceeded"));
        Assert.That(verdict.Message, Does.Contain("60 s"));
    }

    [Test]
    public void Should_TakeDeadlineOfAnnotation_When_ThereIsOne()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 0, 0, annotations: """, "cake.k3s/deadline":"10s" """));

        Assert.That(rollout.Judge(Start.AddSeconds(9)), Is.Null);
        Assert.That(rollout.LookAgainAt, Is.EqualTo(Start.AddSeconds(10)));
        Assert.That(rollout.Judge(Start.AddSeconds(10))!.Succeeded, Is.False);
    }

    [Test]
    public void Should_KeepReason_When_DeadlineEndsTransientTrouble()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2), Pod(Waiting("ErrImagePull", "i/o timeout")));

        Assert.That(rollout.Judge(Start.AddSeconds(2)), Is.Null);
        Assert.That(rollout.Judge(Start.AddSeconds(60))!.Failures.Single().Verdict.Reason, Is.EqualTo("ErrImagePull"));
    }

    [Test]
    public void Should_FindPodsOfWorkload_When_TheyWereSeenBeforeIt()
    {
        var rollout = Watch();
        See(rollout, Event("api-new-1", "FailedMount", "configmap \"x\" not found", 1), Pod(Waiting("ContainerCreating"), phase: "Pending"),
            ReplicaSet("new", 2), Deployment(1, 1, 1, 0));

        Assert.That(rollout.Judge(Start.AddSeconds(2))!.Failures.Single().Verdict.Reason, Is.EqualTo("FailedMount"));
    }

    [Test]
    public void Should_ForgetPod_When_ItIsGone()
    {
        var rollout = Watch();
        var broken = Pod(Waiting("ErrImagePull", "reg/api:1: not found"));
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2), broken);
        rollout.Take(new(WatchEventType.Deleted, broken));

        Assert.That(rollout.Judge(Start.AddSeconds(2)), Is.Null);
    }

    [TestCase(false, 4, false)]
    [TestCase(true, 4, false)]
    [TestCase(true, 10, true)]
    public void Should_TellWhetherNewVersionServed_When_ItFails(bool ready, double seconds, bool served)
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 1), ReplicaSet("new", 2), Pod(Running(0, ready), ready: ready));
        rollout.Judge(Start.AddSeconds(1));
        See(rollout, Pod(Waiting("CrashLoopBackOff", restarts: 1, last: Ended(1))));
        if (ready)
        {
            See(rollout, Pod(Running(0, ready), ready: ready));
            rollout.Judge(Start.AddSeconds(seconds));
            See(rollout, Pod(Waiting("CrashLoopBackOff", restarts: 1, last: Ended(1))));
        }

        Assert.That(rollout.Judge(Start.AddSeconds(seconds + 1))!.NewVersionServed, Is.EqualTo(served));
    }

    [Test]
    public void Should_ReportOnlyChangesThatShow_When_Judged()
    {
        var rollout = Watch();
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2), Pod(Waiting("ContainerCreating"), phase: "Pending"));
        rollout.Judge(Start.AddSeconds(1));
        See(rollout, Pod(Waiting("ContainerCreating"), phase: "Pending"));
        rollout.Judge(Start.AddSeconds(2));
        See(rollout, Pod(Running(3, ready: false)));
        rollout.Judge(Start.AddSeconds(3));

        Assert.That(_reported.Select(change => change.Pods.Single().Status), Is.EqualTo(["ContainerCreating", "Running"]));
        Assert.That(_reported[^1].Pods.Single().IsNew);
    }

    [Test]
    public void Should_Follow_A_Job_When_A_CronJob_Owns_It()
    {
        var rollout = new Rollout([new(new("batch", "v1", "Job"), "shop", "backup-1")], new RolloutTerms(Start, TimeSpan.FromSeconds(60)), _reported.Add);
        See(rollout, BackupJob());
        var before = rollout.Judge(Start.AddSeconds(1));

        See(rollout, BackupJob("""{"type": "Complete", "status": "True"}"""));

        Assert.That((before, rollout.Judge(Start.AddSeconds(2))?.Succeeded), Is.EqualTo(((RolloutOutcome?)null, (bool?)true)));

        static JsonObject BackupJob(string conditions = "") => Json($$"""
            {"apiVersion": "batch/v1", "kind": "Job",
             "metadata": {"name": "backup-1", "namespace": "shop", "uid": "job", "ownerReferences": [{"kind": "CronJob", "name": "backup", "uid": "cron", "controller": true}] },
             "spec": {}, "status": {"conditions": [{{conditions}}] } }
            """);
    }

    [Test]
    public void Should_FailLongBeforeTheDeadline_When_AnImageCannotBePulledForLongerThanThePatience()
    {
        var rollout = new Rollout([Api], new RolloutTerms(Start, TimeSpan.FromHours(2)) { Patience = TimeSpan.FromMinutes(5) }, _reported.Add);
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2), Pod(Waiting("ErrImagePull", "reg/api:1: no such host"), phase: "Pending"));
        Assert.That(rollout.Judge(Start.AddSeconds(10)), Is.Null);
        Assert.That(rollout.LookAgainAt, Is.EqualTo(Start.AddSeconds(310)), "nothing may change until then");

        // Between two tries it only waits.
        See(rollout, Pod(Waiting("ContainerCreating"), phase: "Pending"));
        Assert.That(rollout.Judge(Start.AddSeconds(200)), Is.Null);
        See(rollout, Pod(Waiting("ErrImagePull", "reg/api:1: no such host"), phase: "Pending"));

        Assert.That(rollout.Judge(Start.AddSeconds(310))!.Failures.Single().Verdict.Message, Does.Contain("no better for 300 s").And.Contain("no such host"));
    }

    [Test]
    public void Should_BePatientAgain_When_ItRanInBetween()
    {
        var rollout = new Rollout([Api], new RolloutTerms(Start, TimeSpan.FromHours(2)) { Patience = TimeSpan.FromMinutes(5) }, _reported.Add);
        See(rollout, Deployment(1, 1, 1, 0), ReplicaSet("new", 2), Pod(Waiting("ErrImagePull", "reg/api:1: no such host"), phase: "Pending"));
        rollout.Judge(Start.AddSeconds(10));
        See(rollout, Pod(Running(20, ready: false)));
        rollout.Judge(Start.AddSeconds(20));
        See(rollout, Pod(Waiting("ErrImagePull", "reg/api:1: no such host"), phase: "Pending"));

        Assert.That(rollout.Judge(Start.AddSeconds(320)), Is.Null);
    }

    private Rollout Watch() => new([Api], new RolloutTerms(Start, TimeSpan.FromSeconds(60)), _reported.Add);

    private static void See(Rollout rollout, params JsonObject[] objects)
    {
        foreach (var node in objects)
        {
            node["metadata"] ??= new JsonObject { ["uid"] = "event" };
            rollout.Take(new(WatchEventType.Modified, node));
        }
    }
}
