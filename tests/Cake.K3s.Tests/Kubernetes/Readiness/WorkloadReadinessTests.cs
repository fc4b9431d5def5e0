using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Readiness;
using static Cake.K3s.Tests.Kubernetes.Readiness.Given;

namespace Cake.K3s.Tests.Kubernetes.Readiness;

public sealed class WorkloadReadinessTests
{
    private const string OverQuota = "pods \"api-new-2\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=3, limited: pods=3";

    [Test]
    public void Should_BeReady_When_AllPodsOfDeploymentAreNewAndAvailable() => Expect(Deployment(), VerdictClass.Ready);

    [Test]
    public void Should_Wait_When_ControllerHasNotSeenDeployment() => Expect(Deployment(generation: 3, observed: 2), VerdictClass.Waiting);

    [Test]
    public void Should_Wait_When_DeploymentHasNoStatusYet() =>
        Expect(Json("""{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"api","generation":1},"spec":{},"status":{}}"""), VerdictClass.Waiting);

    [Test]
    public void Should_Wait_When_FormerPodsStillRun() => Expect(Deployment(total: 4), VerdictClass.Waiting);

    [Test]
    public void Should_SayWhatNewPodsWaitFor_When_FormerPodsStillRun()
    {
        var pod = Pod(Running(1, ready: false));
        var probe = Event("api-new-1", "Unhealthy", "Startup probe failed: dial tcp 10.0.0.1:80: connect: connection refused", 5);

        var verdict = ReadinessRules.Judge(Seen(Deployment(total: 4), 10, [pod], probe));

        Assert.That(verdict.Message, Is.EqualTo("Startup probe failed: dial tcp 10.0.0.1:80: connect: connection refused; 1 pod of another version still runs"));
        Assert.That(verdict.NextStep, Does.Contain("port"));
    }

    [Test]
    public void Should_Wait_When_NewPodsAreNotAvailable() => Expect(Deployment(available: 2), VerdictClass.Waiting);

    [Test]
    public void Should_BeReady_When_DeploymentIsScaledToZero() => Expect(Deployment(0, 0, 0, 0), VerdictClass.Ready);

    [Test]
    public void Should_NotJudgeFormerPods_When_TheyCrash()
    {
        var old = Pod(Waiting("CrashLoopBackOff", restarts: 9, last: Ended(1)), owner: "old", name: "api-old-1");

        Expect(Deployment(updated: 1), VerdictClass.Waiting, pods: [old]);
    }

    [Test]
    public void Should_Fail_When_DeploymentIsPaused()
    {
        var deployment = Deployment(updated: 0);
        deployment["spec"]!["paused"] = true;

        Expect(deployment, VerdictClass.Fatal);
    }

    [Test]
    public void Should_Fail_When_ProgressDeadlineIsExceeded() =>
        Expect(
            Deployment(updated: 1, conditions: """[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded","message":"timed out"}]"""),
            VerdictClass.Fatal);

    [Test]
    public void Should_Fail_When_QuotaLeavesNoRoom() =>
        Expect(Deployment(updated: 0), VerdictClass.Fatal, events: Event("new", "FailedCreate", "Error creating: " + OverQuota, 1));

    [Test]
    public void Should_Fail_When_OnlyTheConditionTellsOfQuota() =>
        Expect(
            Deployment(updated: 0, conditions: $$"""[{"type":"ReplicaFailure","status":"True","reason":"FailedCreate","message":{{JsonValue.Create(OverQuota).ToJsonString()}} }]"""),
            VerdictClass.Fatal);

    [Test]
    public void Should_KeepWaiting_When_FormerPodsWillMakeRoom() =>
        Expect(
            Deployment(updated: 0, strategy: """{"rollingUpdate":{"maxUnavailable":1}}"""),
            VerdictClass.Transient, events: Event("new", "FailedCreate", "Error creating: " + OverQuota, 1));

    [Test]
    public void Should_GoOn_When_PodWasCreatedAfterFailure() =>
        Expect(
            Deployment(updated: 1), VerdictClass.Waiting, null,
            Event("new", "FailedCreate", "Error creating: " + OverQuota, 1), Event("new", "SuccessfulCreate", "Created pod: api-new-1", 2));

    [Test]
    public void Should_Fail_When_PodsViolatePodSecurity() =>
        Expect(
            Deployment(updated: 0), VerdictClass.Fatal,
            events: Event("new", "FailedCreate", "Error creating: pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": runAsNonRoot != true", 1));

    [Test]
    public void Should_KeepWaiting_When_WebhookIsNotUpYet() =>
        Expect(
            Deployment(updated: 0), VerdictClass.Transient,
            events: Event("new", "FailedCreate", "Internal error occurred: failed calling webhook \"x\": connection refused", 1));

    [Test]
    public void Should_NotJudge_When_AnnotationSaysIgnore() =>
        Expect(Deployment(updated: 0, annotations: """, "cake.k3s/ignore":"true" """), VerdictClass.Ready);

    [Test]
    public void Should_NameObjectAndAnnotation_When_AnnotationCannotBeRead() =>
        Assert.That(
            () => ReadinessRules.Judge(Seen(Deployment(annotations: """, "cake.k3s/deadline":"soon" """), 1)),
            Throws.TypeOf<K3sException>().With.Message.Contains("Deployment/api").And.Message.Contains("cake.k3s/deadline"));

    [TestCase("""{"replicas":2,"updatedReplicas":2,"readyReplicas":2,"availableReplicas":2}""", VerdictClass.Ready)]
    [TestCase("""{"replicas":2,"updatedReplicas":1,"readyReplicas":2,"availableReplicas":2}""", VerdictClass.Waiting)]
    [TestCase("""{"replicas":2,"updatedReplicas":2,"readyReplicas":1,"availableReplicas":1}""", VerdictClass.Waiting)]
    public void Should_JudgeStatefulSet(string status, object expected) =>
        Expect(Observed("apps/v1", "StatefulSet", """{"replicas":2}""", status), (VerdictClass)expected);

    [Test]
    public void Should_LeavePodsBelowPartition_When_StatefulSetHasOne() =>
        Expect(
            Observed(
                "apps/v1", "StatefulSet", """{"replicas":3,"updateStrategy":{"type":"RollingUpdate","rollingUpdate":{"partition":2}}}""",
                """{"replicas":3,"updatedReplicas":1,"readyReplicas":3,"availableReplicas":3}"""),
            VerdictClass.Ready);

    [TestCase("""{"desiredNumberScheduled":3,"currentNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":3}""", VerdictClass.Ready)]
    [TestCase("""{"desiredNumberScheduled":3,"currentNumberScheduled":3,"updatedNumberScheduled":2,"numberAvailable":3}""", VerdictClass.Waiting)]
    [TestCase("""{"desiredNumberScheduled":3,"currentNumberScheduled":3,"updatedNumberScheduled":3,"numberAvailable":2}""", VerdictClass.Waiting)]
    [TestCase("""{"desiredNumberScheduled":0,"currentNumberScheduled":0}""", VerdictClass.Ready)]
    public void Should_JudgeDaemonSet(string status, object expected) =>
        Expect(Observed("apps/v1", "DaemonSet", "{}", status), (VerdictClass)expected);

    [TestCase("""{"active":1}""", VerdictClass.Waiting)]
    [TestCase("""{"succeeded":1,"conditions":[{"type":"Complete","status":"True"}]}""", VerdictClass.Ready)]
    [TestCase("""{"failed":1,"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"Job has reached the specified backoff limit"}]}""", VerdictClass.Fatal)]
    [TestCase("""{"conditions":[{"type":"FailureTarget","status":"True","reason":"DeadlineExceeded"}]}""", VerdictClass.Fatal)]
    public void Should_JudgeJob(string status, object expected) => Expect(Plain("batch/v1", "Job", status), (VerdictClass)expected);

    [Test]
    public void Should_LeaveCrashesToBackoffLimit_When_PodBelongsToJob() =>
        Expect(Plain("batch/v1", "Job", """{"active":1}"""), VerdictClass.Waiting, [Pod(Terminated(Ended(1)), phase: "Failed")]);

    [Test]
    public void Should_FailJobAtOnce_When_ItsPodCannotStart() =>
        Expect(Plain("batch/v1", "Job", """{"active":1}"""), VerdictClass.Fatal, [Pod(Waiting("ErrImagePull", "reg/api:1: not found"))]);

    [Test]
    public void Should_NameContainerAndExitCode_When_JobFailed()
    {
        var job = Plain("batch/v1", "Job", """{"conditions":[{"type":"Failed","status":"True","reason":"BackoffLimitExceeded","message":"too often"}]}""");

        var verdict = ReadinessRules.Judge(Seen(job, 9, [Pod(Terminated(Ended(7)), phase: "Failed")]));

        Assert.That(verdict.Container, Is.EqualTo("api"));
        Assert.That(verdict.Message, Does.Contain("too often").And.Contain("code 7"));
    }

    [TestCase("v1", "PersistentVolumeClaim", """{"phase":"Bound"}""", VerdictClass.Ready)]
    [TestCase("v1", "PersistentVolumeClaim", """{"phase":"Pending"}""", VerdictClass.Waiting)]
    [TestCase("v1", "PersistentVolumeClaim", """{"phase":"Lost"}""", VerdictClass.Fatal)]
    [TestCase("batch/v1", "CronJob", "{}", VerdictClass.Ready)]
    [TestCase("networking.k8s.io/v1", "Ingress", """{"loadBalancer":{}}""", VerdictClass.Ready)]
    [TestCase("v1", "ConfigMap", "{}", VerdictClass.Ready)]
    [TestCase("apiextensions.k8s.io/v1", "CustomResourceDefinition", "{}", VerdictClass.Waiting)]
    [TestCase("apiextensions.k8s.io/v1", "CustomResourceDefinition", """{"conditions":[{"type":"NamesAccepted","status":"True"},{"type":"Established","status":"True"}]}""", VerdictClass.Ready)]
    [TestCase("apiextensions.k8s.io/v1", "CustomResourceDefinition", """{"conditions":[{"type":"NamesAccepted","status":"False","message":"taken"}]}""", VerdictClass.Fatal)]
    [TestCase("v1", "Pod", """{"phase":"Succeeded"}""", VerdictClass.Ready)]
    [TestCase("v1", "Pod", """{"phase":"Failed"}""", VerdictClass.Fatal)]
    [TestCase("cert-manager.io/v1", "Certificate", """{"conditions":[{"type":"Ready","status":"True"}]}""", VerdictClass.Ready)]
    [TestCase("cert-manager.io/v1", "Certificate", """{"conditions":[{"type":"Ready","status":"False","message":"issuing"}]}""", VerdictClass.Waiting)]
    [TestCase("example.com/v1", "Thing", """{"conditions":[{"type":"Reconciling","status":"True"},{"type":"Ready","status":"True"}]}""", VerdictClass.Waiting)]
    [TestCase("example.com/v1", "Thing", """{"conditions":[{"type":"Stalled","status":"True","message":"gave up"}]}""", VerdictClass.Fatal)]
    [TestCase("example.com/v1", "Thing", """{"observedGeneration":0}""", VerdictClass.Waiting)]
    [TestCase("helm.cattle.io/v1", "HelmChart", "{}", VerdictClass.Waiting)]
    [TestCase("helm.cattle.io/v1", "HelmChart", """{"conditions":[{"type":"Failed","status":"True","message":"bad values"}]}""", VerdictClass.Fatal)]
    public void Should_JudgeByRuleOfKind(string apiVersion, string kind, string status, object expected) =>
        Expect(Plain(apiVersion, kind, status), (VerdictClass)expected);

    [Test]
    public void Should_BeReady_When_ClaimWaitsForItsFirstPod() =>
        Expect(
            Plain("v1", "PersistentVolumeClaim", """{"phase":"Pending"}"""), VerdictClass.Ready,
            events: Event("u1", "WaitForFirstConsumer", "waiting for first consumer to be created before binding", 1));

    [Test]
    public void Should_WaitForAddress_When_ServiceIsLoadBalancer()
    {
        var service = Plain("v1", "Service", """{"loadBalancer":{}}""");
        Expect(service, VerdictClass.Ready);

        service["spec"] = Json("""{"type":"LoadBalancer"}""");
        Expect(service, VerdictClass.Waiting);

        service["status"] = Json("""{"loadBalancer":{"ingress":[{"ip":"10.0.0.1"}]}}""");
        Expect(service, VerdictClass.Ready);
    }

    [Test]
    public void Should_FollowJob_When_HelmChartNamesOne()
    {
        var chart = Plain("helm.cattle.io/v1", "HelmChart", """{"jobName":"helm-install-x"}""");
        var job = Json("""{"kind":"Job","metadata":{"name":"helm-install-x","uid":"j1"},"status":{"conditions":[{"type":"Complete","status":"True"}]}}""");

        Assert.That(ReadinessRules.Judge(Seen(chart, 1) with { Jobs = [job] }).Class, Is.EqualTo(VerdictClass.Ready));
    }

    private static JsonObject Plain(string apiVersion, string kind, string status) =>
        Json($$"""{"apiVersion":"{{apiVersion}}","kind":"{{kind}}","metadata":{"name":"x","namespace":"shop","uid":"u1","generation":1},"spec":{},"status":{{status}} }""");

    private static JsonObject Observed(string apiVersion, string kind, string spec, string status)
    {
        var target = Plain(apiVersion, kind, status);
        target["spec"] = Json(spec);
        target["status"]!["observedGeneration"] = 1;
        return target;
    }

    private static void Expect(JsonObject target, VerdictClass expected, IEnumerable<JsonObject>? pods = null, params JsonObject[] events)
    {
        var verdict = ReadinessRules.Judge(Seen(target, 10, pods, events));
        Assert.That(verdict.Class, Is.EqualTo(expected), verdict.ToString());
    }
}
