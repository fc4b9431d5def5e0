using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.IntegrationTests.Images.Fixtures;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Tests.Fixtures;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>Verdicts on real containers.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class VerdictTests
{
    private const string Serve = "echo ok > /www/index.html; exec httpd -f -p 8080 -h /www";
    private const string AnswerError = "while true; do printf 'HTTP/1.1 500 Broken\\r\\nContent-Length: 0\\r\\n\\r\\n' | nc -l -p 8080; done";
    private const string ReadyWhenServed = """ "readinessProbe":{"httpGet":{"path":"/","port":8080},"periodSeconds":1,"failureThreshold":3} """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private static readonly GroupVersionKind[] Kinds = [new("", "v1", "Pod"), new("", "v1", "Event"), new("batch", "v1", "Job")];

    private readonly List<WorkloadChanged> _seen = [];
    private ClusterApi _api = null!;

    [SetUp]
    public async Task OpenAsync() => _api = await SharedSandbox.NamespaceAsync();

    [TearDown]
    public Task CloseAsync() => SharedSandbox.RemoveAsync(_api);

    [Test]
    public async Task Should_FailAtOnce_When_ImageIsMissing() => await FailsAsync(
        App("exit 0", image: $"{SharedSandbox.Addresses.Registry}/probe:nosuch"),
        "ErrImagePull|ImagePullBackOff", "push the image", pod => Waits(pod, "ErrImagePull"));

    [Test]
    public async Task Should_NameWrongArchitecture_When_ProgramIsForAnother() =>
        await FailsAsync(App("", command: """["/bin/foreign"]"""), "WrongArchitecture", "architecture", pod => Waits(pod, "CrashLoopBackOff") || Waits(pod, "RunContainerError"));

    [Test]
    public async Task Should_AskForCredentials_When_RegistryIsPrivate()
    {
        await using var registry = await RegistryServer.StartWithPasswordAsync();

        await FailsAsync(App("exit 0", image: $"{registry.Host}/shop/probe:1"), "ErrImagePull|ImagePullBackOff", "imagePullSecrets", pod => Waits(pod, "ErrImagePull"));
    }

    [Test]
    public async Task Should_ShowLastLogLines_When_AppCrashesAtStart()
    {
        var (_, evidence) = await FailsAsync(App("echo no database; exit 3"), "CrashLoopBackOff|Error", "--previous", pod => Waits(pod, "CrashLoopBackOff"));

        Assert.That(evidence.Lines, Has.Some.Contains("no database"));
    }

    [Test]
    public async Task Should_Fail_When_AppCrashesAfterTenSeconds() =>
        await FailsAsync(App("sleep 10; exit 3"), "CrashLoopBackOff|Error", "logs", pod => Waits(pod, "CrashLoopBackOff"));

    [Test]
    public async Task Should_Fail_When_OutOfMemory() => await FailsAsync(
        App("tail /dev/zero", more: """ "resources":{"limits":{"memory":"16Mi"}} """),
        "OOMKilled", "limits.memory", pod => Status(pod).Any(status => (status.Text("state", "terminated", "reason") ?? status.Text("lastState", "terminated", "reason")) == "OOMKilled"));

    [Test]
    public async Task Should_NameKey_When_ConfigMapHasNoSuchKey()
    {
        await ApplyAsync("""{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"1"}}""");

        await FailsAsync(
            App(Serve, more: """ "env":[{"name":"B","valueFrom":{"configMapKeyRef":{"name":"settings","key":"b"}}}] """),
            "CreateContainerConfigError", "correct the key", pod => Waits(pod, "CreateContainerConfigError"));
    }

    [Test]
    public async Task Should_Fail_When_ReadinessSteadilyAnswersWithError() =>
        await FailsAsync(App(AnswerError, more: ReadyWhenServed), "Unhealthy", "correct what makes the app answer", seen => IsEvent(seen, "Unhealthy") && seen.Number("count") >= 3);

    [Test]
    public async Task Should_Fail_When_LivenessFails() => await FailsAsync(
        App("sleep 3600", more: """ "livenessProbe":{"exec":{"command":["/bin/false"]},"periodSeconds":1,"failureThreshold":2} """, graceSeconds: 1),
        "CrashLoopBackOff|Error|Completed", "liveness probe", pod => Status(pod).Any(status => status.Number("restartCount") >= 2) || Waits(pod, "CrashLoopBackOff"));

    [Test]
    public async Task Should_Fail_When_NoNodeCanEverTakeIt() => await FailsAsync(
        App(Serve, podMore: """ "nodeSelector":{"disk":"gold"}, """), "Unschedulable", "label a node", IsUnschedulable, names: Names.Pod);

    [Test]
    public async Task Should_SayThatItIsTooLarge_When_NoNodeHasSoMuch()
    {
        var (failure, _) = await FailsAsync(
            App(Serve, more: """ "resources":{"requests":{"memory":"900Ti"}} """), "Unschedulable", "lower resources.requests", IsUnschedulable, names: Names.Pod);

        Assert.That(failure.Verdict.Message, Is.EqualTo("no node can ever take it: 1 Insufficient memory"));
    }

    [Test]
    public async Task Should_Fail_When_QuotaIsExceeded()
    {
        await ApplyAsync("""{"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"none"},"spec":{"hard":{"pods":"0"}}}""");

        await FailsAsync(App(Serve), "QuotaExceeded", "raise the ResourceQuota", seen => IsEvent(seen, "FailedCreate"), names: Names.Workload);
    }

    [Test]
    public async Task Should_NameInitContainer_When_ItFails()
    {
        var (failure, _) = await FailsAsync(
            App(Serve, podMore: $$""" "initContainers":[{"name":"prepare","image":"{{SharedSandbox.ShellReference()}}","command":["/bin/sh","-c","exit 4"]}], """),
            "CrashLoopBackOff|Error", "-c prepare", pod => Waits(pod, "CrashLoopBackOff"));

        Assert.That(failure.Verdict.Container, Is.EqualTo("prepare"));
    }

    [Test]
    public async Task Should_Fail_When_JobFails()
    {
        var job = $$"""
            {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"app"},"spec":{"backoffLimit":0,"template":{"spec":{"restartPolicy":"Never",
             "containers":[{"name":"app","image":"{{SharedSandbox.ShellReference()}}","command":["/bin/sh","-c","echo table is locked; exit 9"]}] } } } }
            """;

        var (failure, evidence) = await FailsAsync(job, "BackoffLimitExceeded", "logs", seen => seen.Text("kind") == "Job" && seen.IsTrue("Failed"));

        Assert.That(failure.Verdict.Message, Does.Contain("code 9"));
        Assert.That(evidence.Lines, Has.Some.Contains("table is locked"));
    }

    [Test]
    public async Task Should_Wait_When_StartIsSlowButHealthy() => await SucceedsAsync(App($"sleep 15; {Serve}", more: ReadyWhenServed));

    [Test]
    public async Task Should_NotFail_When_OneFlakyRestartRecovers()
    {
        await SucceedsAsync(App(
            $"test -f /state/seen || {{ touch /state/seen; exit 1; }}; {Serve}",
            more: $$""" "volumeMounts":[{"name":"state","mountPath":"/state"}],{{ReadyWhenServed}} """,
            podMore: """ "volumes":[{"name":"state","emptyDir":{}}], """));

        Assert.That(_seen.SelectMany(change => change.Pods).Max(pod => pod.Restarts), Is.EqualTo(1));
    }

    [Test]
    public async Task Should_NotFail_When_PullFailsOnceThenWorks()
    {
        await using var registry = await RegistryServer.StartAsync();
        await SharedSandbox.Shell.PushAsync(SharedSandbox.Client(registry.Connection), "flaky");
        await using var proxy = await RegistryProxy.StartAsync(registry);
        var refused = 0;
        proxy.Fault = async (context, _) =>
        {
            // The engine itself tries a few times before it gives up.
            if (!context.Request.Path.Value!.Contains("/manifests/", StringComparison.Ordinal) || _seen.Any(change => change.State == WorkloadState.Struggling))
            {
                return false;
            }

            refused++;
            context.Response.StatusCode = 503;
            await context.Response.CompleteAsync();
            return true;
        };

        await SucceedsAsync(App(Serve, image: $"{proxy.Host}/flaky@{SharedSandbox.Shell.Digest}", more: ReadyWhenServed));

        Assert.That(refused, Is.Positive);
        Assert.That(_seen.Select(change => change.State), Has.Some.EqualTo(WorkloadState.Struggling));
    }

    private static string App(string script, string? image = null, string? command = null, string more = "", string podMore = "", int graceSeconds = 1)
    {
        image ??= SharedSandbox.ShellReference();
        command ??= new JsonArray("/bin/sh", "-c", script).ToJsonString();
        var separator = more.Length == 0 ? "" : ",";
        return $$$"""
            {"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"app"},
             "spec":{"replicas":1,"selector":{"matchLabels":{"app":"app"}},"template":{"metadata":{"labels":{"app":"app"}},
              "spec":{ {{{podMore}}} "terminationGracePeriodSeconds":{{{graceSeconds}}},
               "containers":[{"name":"app","image":"{{{image}}}","command":{{{command}}}{{{separator}}}{{{more}}} } ] } } } }
            """;
    }

    private async Task<(RolloutFailure Failure, Evidence Evidence)> FailsAsync(string manifest, string reasons, string nextStep, Func<JsonObject, bool> isVisible, Names names = Names.Container)
    {
        var (outcome, visibleFor) = await RollOutAsync(manifest, isVisible);
        using var directory = new TemporaryDirectory();
        var evidence = await new EvidenceCollector(new SecretMask(), TimeProvider.System).CollectAsync(_api, outcome.Failures, directory.Path, default);
        var failure = outcome.Failures.Single();
        failure = failure with { Verdict = evidence.Refine(failure.Verdict) };
        await TestContext.Out.WriteLineAsync($"{failure}\nNext: {failure.Verdict.NextStep}\n{string.Join('\n', evidence.Lines)}\nvisible for {visibleFor}");
        Assert.Multiple(() =>
        {
            Assert.That(failure.Verdict.Reason, Does.Match($"^({reasons})$"));
            Assert.That(failure.ToString(), Does.Contain($"{failure.Key.Type.Kind}/app"));
            Assert.That(failure.Verdict.NextStep, Does.Contain(nextStep));
            Assert.That(failure.ToString(), names >= Names.Pod ? Does.Contain($"pod {failure.Verdict.Pod}") : Does.Not.Contain("pod "));
            Assert.That(failure.Verdict.Container, names == Names.Container ? Is.Not.Empty : Is.Null);
            Assert.That(visibleFor, Is.Not.Null.And.LessThan(TimeSpan.FromSeconds(2)));
        });
        return (failure, evidence);
    }

    private async Task SucceedsAsync(string manifest)
    {
        var (outcome, _) = await RollOutAsync(manifest, null);

        Assert.That(outcome.Succeeded, string.Join('\n', outcome.Failures));
    }

    /// <summary>Rolls out, and measures for how long the API showed what decides.</summary>
    private async Task<(RolloutOutcome Outcome, TimeSpan? VisibleFor)> RollOutAsync(string manifest, Func<JsonObject, bool>? isVisible)
    {
        using var ending = new CancellationTokenSource();
        var visibleSince = new TaskCompletionSource<DateTimeOffset>();
        var looking = Task.WhenAll(Kinds.Select(LookAsync));
        var startedAt = DateTimeOffset.UtcNow;
        var applied = await ApplyAsync(manifest);
        var outcome = await new RolloutWatcher(TimeProvider.System, new Recorder(_seen)).WatchAsync(
            _api, [ObjectKey.Of(applied)], new RolloutTerms(startedAt, Patience), default);
        var endedAt = DateTimeOffset.UtcNow;
        if (isVisible is not null)
        {
            // The watches here may be a little behind the one that decided.
            await visibleSince.Task.WaitAsync(Patience);
        }

        await ending.CancelAsync();
        await looking;
        return (outcome, isVisible is null ? null : endedAt - visibleSince.Task.Result);

        async Task LookAsync(GroupVersionKind type)
        {
            try
            {
                await foreach (var change in _api.WatchAsync(type, _api.Namespace, null, ending.Token))
                {
                    if (change.Object is { } node && isVisible?.Invoke(node) == true)
                    {
                        visibleSince.TrySetResult(DateTimeOffset.UtcNow);
                    }
                }
            }
            catch (OperationCanceledException)
            {
                // The outcome is known.
            }
        }
    }

    private async Task<JsonObject> ApplyAsync(string manifest) => (await _api.ApplyAsync(JsonNode.Parse(manifest)!.AsObject(), default)).Node;

    private static bool IsUnschedulable(JsonObject seen) => seen.Condition("PodScheduled").Text("reason") == "Unschedulable";

    private static bool IsEvent(JsonObject seen, string reason) => seen.Text("kind") == "Event" && seen.Text("reason") == reason;

    private static IEnumerable<JsonObject> Status(JsonObject pod) => pod.ContainerStatuses();

    // A container that crashed once may be restarted; what decides is that it backs off for the second time.
    private static bool Waits(JsonObject pod, string reason) => Status(pod).Any(status =>
        status.Text("state", "waiting", "reason") == reason && (reason != "CrashLoopBackOff" || status.Number("restartCount") >= 1));

    /// <summary>What a failure can name.</summary>
    private enum Names
    {
        Workload,
        Pod,
        Container,
    }

    private sealed class Recorder(List<WorkloadChanged> seen) : IReporter
    {
        public void Report(RunEvent runEvent)
        {
            if (runEvent is WorkloadChanged change)
            {
                lock (seen)
                {
                    seen.Add(change);
                }
            }
        }
    }
}
