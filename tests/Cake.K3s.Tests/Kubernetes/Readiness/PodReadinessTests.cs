using Cake.K3s.Kubernetes.Readiness;
using static Cake.K3s.Tests.Kubernetes.Readiness.Given;

namespace Cake.K3s.Tests.Kubernetes.Readiness;

public sealed class PodReadinessTests
{
    [TestCase("ErrImagePull", "rpc error: code = NotFound desc = failed to pull and unpack image \"reg/api:1\": reg/api:1: not found")]
    [TestCase("ImagePullBackOff", "Back-off pulling image \"reg/api:1\": ErrImagePull: failed to resolve reference: reg/api:1: not found")]
    [TestCase("ErrImagePull", "manifest for reg/api:1 not found: manifest unknown: manifest unknown")]
    [TestCase("ErrImagePull", "failed to authorize: failed to fetch oauth token: unexpected status: 401 Unauthorized")]
    [TestCase("ErrImagePull", "pull access denied for api, repository does not exist or may require 'docker login'")]
    [TestCase("ErrImagePull", "failed to pull image: no match for platform in manifest: not found")]
    [TestCase("ErrImagePull", "tls: failed to verify certificate: x509: certificate signed by unknown authority")]
    [TestCase("InvalidImageName", "Failed to apply default image tag \"api:\": couldn't parse image name")]
    [TestCase("ErrImageNeverPull", "Container image \"reg/api:1\" is not present with pull policy of Never")]
    [TestCase("CreateContainerConfigError", "couldn't find key NOPE in ConfigMap shop/api")]
    [TestCase("CreateContainerConfigError", "secret \"database\" not found")]
    [TestCase("RunContainerError", "exec: \"nope\": executable file not found in $PATH: unknown")]
    [TestCase("CreateContainerError", "exec /app/api: exec format error")]
    public void Should_FailAtOnce_When_WaitingDoesNotHelp(string reason, string message)
    {
        var verdict = JudgePod(Pod(Waiting(reason, message), phase: "Pending"), 2);

        Assert.Multiple(() =>
        {
            Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Fatal));
            Assert.That(verdict.Pod, Is.EqualTo("api-new-1"));
            Assert.That(verdict.Container, Is.EqualTo("api"));
            Assert.That(verdict.Message, Does.Contain(message));
            Assert.That(verdict.NextStep, Is.Not.Empty);
        });
    }

    [TestCase("ErrImagePull", "failed to do request: Head \"https://reg/v2/api\": dial tcp 10.0.0.1:443: connect: connection refused")]
    [TestCase("ErrImagePull", "unexpected status from HEAD request: 503 Service Unavailable")]
    [TestCase("ErrImagePull", "toomanyrequests: You have reached your pull rate limit. You may increase the limit by authenticating and upgrading")]
    [TestCase("ErrImagePull", "failed to copy: read tcp: i/o timeout")]
    [TestCase("ImagePullBackOff", "Back-off pulling image \"reg/api:1\"")]
    [TestCase("CreateContainerConfigError", "failed to sync configmap cache: timed out waiting for the condition")]
    [TestCase("CreateContainerError", "context deadline exceeded")]
    public void Should_KeepWaiting_When_FaultPassesByItself(string reason, string message) =>
        Assert.That(JudgePod(Pod(Waiting(reason, message), phase: "Pending"), 2).Class, Is.EqualTo(VerdictClass.Transient));

    [Test]
    public void Should_NameWrongArchitecture_When_ImageHasNoSuchPlatform() =>
        Assert.That(
            JudgePod(Pod(Waiting("ErrImagePull", "no match for platform in manifest sha256:1: not found")), 2).Reason,
            Is.EqualTo("WrongArchitecture"));

    [Test]
    public void Should_ReadCauseFromEvent_When_BackOffSaysOnlyThatItBacksOff()
    {
        var pod = Pod(Waiting("ImagePullBackOff", "Back-off pulling image \"reg/api:1\""));

        var verdict = JudgePod(pod, 5, Event("api-new-1", "Failed", "Failed to pull image \"reg/api:1\": reg/api:1: not found", 1));

        Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Fatal));
        Assert.That(verdict.NextStep, Does.Contain("push the image"));
    }

    [Test]
    public void Should_AllowOneRestart_When_ContainerCrashedOnce() =>
        Assert.That(JudgePod(Pod(Terminated(Ended(1))), 3).Class, Is.EqualTo(VerdictClass.Transient));

    [Test]
    public void Should_Fail_When_ContainerCrashedTwice()
    {
        var verdict = JudgePod(Pod(Waiting("CrashLoopBackOff", "back-off 10s restarting failed container", restarts: 1, last: Ended(3, 4, 5))), 6);

        Assert.Multiple(() =>
        {
            Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Fatal));
            Assert.That(verdict.Reason, Is.EqualTo("CrashLoopBackOff"));
            Assert.That(verdict.Message, Does.Contain("exited with code 3 after 1 s, restarted once"));
            Assert.That(verdict.NextStep, Does.Contain("logs api-new-1 -c api --previous"));
        });
    }

    [Test]
    public void Should_Fail_When_ContainerEndsWithoutErrorAgainAndAgain() =>
        Assert.That(
            JudgePod(Pod(Waiting("CrashLoopBackOff", restarts: 1, last: Ended(0, reason: "Completed"))), 6).NextStep,
            Does.Contain("ends by itself"));

    [Test]
    public void Should_AllowMoreRestarts_When_AnnotationSaysSo()
    {
        var pod = Pod(Waiting("CrashLoopBackOff", restarts: 2, last: Ended(1)));
        var deployment = Deployment(updated: 1, available: 2, annotations: """,  "cake.k3s/allow-restarts":"5" """);

        Assert.That(ReadinessRules.Judge(Seen(deployment, 30, [pod])).Class, Is.EqualTo(VerdictClass.Transient));
    }

    [Test]
    public void Should_NotFail_When_OneFlakyRestartRecovers()
    {
        var pod = Pod(Running(5, ready: true, restarts: 1, last: Ended(1)), ready: true);

        Assert.That(ReadinessRules.Judge(Seen(Deployment(1, 1, 1, 1), 60, [pod])).Class, Is.EqualTo(VerdictClass.Ready));
    }

    [Test]
    public void Should_FailAtOnce_When_OutOfMemory()
    {
        var verdict = JudgePod(Pod(Terminated(Ended(137, reason: "OOMKilled"))), 3);

        Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Fatal));
        Assert.That(verdict.Reason, Is.EqualTo("OOMKilled"));
        Assert.That(verdict.NextStep, Does.Contain("limits.memory"));
    }

    [Test]
    public void Should_FailAtOnce_When_RuntimeCannotExecute() =>
        Assert.That(
            JudgePod(Pod(Terminated(Ended(128, reason: "StartError", message: "failed to create containerd task: exec: no such file or directory"))), 3).Class,
            Is.EqualTo(VerdictClass.Fatal));

    [Test]
    public void Should_NotHoldItAgainstPod_When_CrashesWereBeforeThisRollout() =>
        Assert.That(
            JudgePod(Pod(Waiting("CrashLoopBackOff", restarts: 17, last: Ended(1, -30, -20))), 3).Class,
            Is.EqualTo(VerdictClass.Transient));

    [Test]
    public void Should_HoldItAgainstPod_When_ItCrashedInTheSecondInWhichTheRolloutBegan()
    {
        // The API has whole seconds: what ended 0.9 s into this second is told as its beginning.
        var pod = Pod(Waiting("CrashLoopBackOff", restarts: 1, last: Ended(1, 0, 0)));
        var policy = new PodPolicy(Start.AddSeconds(0.7), Start.AddSeconds(2), RolloutOverrides.Of(Deployment()));

        var verdict = ContainerCrashes.Judge(pod, pod["status"]!["containerStatuses"]![0]!.AsObject(), [], policy);

        Assert.That(verdict?.Class, Is.EqualTo(VerdictClass.Fatal));
    }

    [Test]
    public void Should_Fail_When_InitContainerCrashes()
    {
        var pod = Pod(
            Waiting("PodInitializing"),
            Waiting("CrashLoopBackOff", restarts: 1, last: Ended(1), name: "wait"),
            phase: "Pending",
            spec: """{"nodeName":"n1","initContainers":[{"name":"wait"}],"containers":[{"name":"api"}]}""");

        var verdict = JudgePod(pod, 6);

        Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Fatal));
        Assert.That(verdict.Container, Is.EqualTo("wait"));
    }

    [Test]
    public void Should_Wait_When_InitContainersRun() =>
        Assert.That(
            JudgePod(Pod(Waiting("PodInitializing"), Running(1, ready: false, name: "wait"), phase: "Pending"), 200).Class,
            Is.EqualTo(VerdictClass.Waiting));

    [Test]
    public void Should_WaitUntilSettled_When_ContainerJustStarted()
    {
        var verdict = ReadinessRules.Judge(Seen(Deployment(1, 1, 1, 1), 5, [Pod(Running(3, ready: true), ready: true)]));

        Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Waiting));
        Assert.That(verdict.RecheckAt, Is.EqualTo(Start.AddSeconds(15)));
    }

    [Test]
    public void Should_Wait_When_StartIsSlow()
    {
        var pod = Pod(Running(1, ready: false), spec: Probed);

        var verdict = JudgePod(pod, 200, Event("api-new-1", "Unhealthy", "Readiness probe failed: dial tcp 10.1.0.5:8000: connect: connection refused", 199, "api"));

        Assert.That(verdict.Class, Is.EqualTo(VerdictClass.Waiting));
    }

    [Test]
    public void Should_Wait_When_ServerSaysNotYet() =>
        Assert.That(
            JudgePod(
                Pod(Running(1, ready: false), spec: Probed), 200,
                Event("api-new-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503", 199, "api")).Class,
            Is.EqualTo(VerdictClass.Waiting));

    // Start-up: 2 x 5 s; readiness: 5 x 2 s after it.
    [TestCase(19, VerdictClass.Waiting)]
    [TestCase(22, VerdictClass.Fatal)]
    public void Should_FailAfterProbesOwnBudget_When_ServerSteadilyAnswersWithError(double now, object expected)
    {
        var verdict = JudgePod(
            Pod(Running(1, ready: false), spec: Probed), now,
            Event("api-new-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500", now - 1, "api"));

        Assert.That(verdict.Class, Is.EqualTo(expected));
    }

    [Test]
    public void Should_LookAgainAtEndOfBudget_When_ProbeFails() =>
        Assert.That(
            JudgePod(
                Pod(Running(1, ready: false), spec: Probed), 5,
                Event("api-new-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500", 4, "api")).RecheckAt,
            Is.EqualTo(Start.AddSeconds(21)));

    [Test]
    public void Should_NameLivenessProbe_When_NodeEndedContainerForIt()
    {
        var verdict = JudgePod(
            Pod(Waiting("CrashLoopBackOff", restarts: 2, last: Ended(137, 5, 9))), 10,
            Event("api-new-1", "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", 8, "api"),
            Event("api-new-1", "Killing", "Container api failed liveness probe, will be restarted", 8, "api"));

        Assert.That(verdict.Message, Does.Contain("because its liveness probe failed: HTTP probe failed with statuscode: 500"));
        Assert.That(verdict.NextStep, Does.Contain("correct what the liveness probe asks"));
    }

    [Test]
    public void Should_BlameAppItself_When_NodeEndedAnEarlierContainer() =>
        Assert.That(
            JudgePod(
                Pod(Waiting("CrashLoopBackOff", restarts: 2, last: Ended(1, 20, 21))), 22,
                Event("api-new-1", "Killing", "Container api failed liveness probe, will be restarted", 8, "api")).NextStep,
            Does.Contain("log lines"));

    [Test]
    public void Should_SayThatPathIsWrong_When_ProbeGets404() =>
        Assert.That(
            JudgePod(
                Pod(Running(1, ready: false), spec: Probed), 60,
                Event("api-new-1", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 404", 58, "api")).NextStep,
            Does.Contain("path"));

    [TestCase("0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: persistentvolumeclaim \\\"none\\\" not found. not found")]
    public void Should_FailAtOnce_When_NoNodeCanEverTakeIt(string message) =>
        Assert.That(JudgePod(Unscheduled(message), 3).Class, Is.EqualTo(VerdictClass.Fatal));

    // The second form is that of Kubernetes 1.34.
    [TestCase("0/1 nodes are available: 1 Insufficient memory. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    public void Should_SayWhatIsTooLarge_When_NoNodeIsLargeEnough(string message)
    {
        var verdict = JudgePod(Unscheduled(message), 3);

        Assert.That(verdict.Message, Is.EqualTo("no node can ever take it: 1 Insufficient memory"));
        Assert.That(verdict.NextStep, Is.EqualTo("lower resources.requests, or add a node that is large enough"));
    }

    [TestCase("0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")]
    [TestCase("0/1 nodes are available: 1 node(s) had untolerated taint {node.kubernetes.io/not-ready: }. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't match Pod's node affinity/selector. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: 1 Insufficient memory. no new claims to deallocate, preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.")]
    [TestCase("0/1 nodes are available: 1 node(s) had untolerated taint(s). no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: 1 node(s) were unschedulable. no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.")]
    [TestCase("0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found")]
    public void Should_KeepWaiting_When_NodeMayBecomeFree(string message) =>
        Assert.That(JudgePod(Unscheduled(message), 3).Class, Is.EqualTo(VerdictClass.Transient));

    [TestCase("MountVolume.SetUp failed for volume \"config\" : configmap \"api\" not found", VerdictClass.Fatal)]
    [TestCase("MountVolume.SetUp failed for volume \"config\" : references non-existent secret key: tls.crt", VerdictClass.Fatal)]
    [TestCase("MountVolume.SetUp failed for volume \"kube-api-access-x\" : configmap \"kube-root-ca.crt\" not found", VerdictClass.Transient)]
    [TestCase("MountVolume.SetUp failed for volume \"config\" : failed to sync configmap cache: timed out waiting for the condition", VerdictClass.Transient)]
    public void Should_ReadMountFailures(string message, object expected) =>
        Assert.That(
            JudgePod(Pod(Waiting("ContainerCreating"), phase: "Pending"), 3, Event("api-new-1", "FailedMount", message, 2)).Class,
            Is.EqualTo(expected));

    [Test]
    public void Should_KeepWaiting_When_NodeEvictedPod() =>
        Assert.That(JudgePod(Pod("[]", phase: "Failed", status: ""","reason":"Evicted","message":"low on memory" """), 3).Class, Is.EqualTo(VerdictClass.Transient));

    private const string Probed = """
        {"nodeName":"n1","containers":[{"name":"api",
         "startupProbe":{"httpGet":{"path":"/up","port":8000},"periodSeconds":2,"failureThreshold":5},
         "readinessProbe":{"httpGet":{"path":"/ready","port":8000},"periodSeconds":5,"failureThreshold":2}}]}
        """;
}
