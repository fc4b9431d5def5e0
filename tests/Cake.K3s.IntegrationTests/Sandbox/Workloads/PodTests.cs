using System.Runtime.Versioning;
using System.Text;
using Cake.K3s.Sandbox.Node.Engine;
using k8s;
using k8s.Models;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Sandbox.Workloads;

/// <summary>Pods as real containers: what a client of the API sees of them.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
[Parallelizable(ParallelScope.Children)]
internal sealed class PodTests
{
    private const string Sleeper = """ "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"]}] """;

    private string _ns = "";

    private static string Hooked(string postStart) =>
        $$$""" "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"], "lifecycle": {"postStart": { {{{postStart}}} } } }] """;

    [OneTimeSetUp]
    public async Task MakeNamespaceAsync() => _ns = await SharedCluster.Instance.NamespaceAsync();

    [TestCase("exits", """ "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "exit 3"]}] """, "CrashLoopBackOff", "back-off 10s restarting failed container=main pod=exits_")]
    [TestCase("no-program", """ "containers": [{"name": "main", "image": "local/tools:1", "command": ["/none"]}] """, "CrashLoopBackOff", "back-off 10s")]
    [TestCase("no-image", """ "containers": [{"name": "main", "image": "REGISTRY/none:1"}] """, "ImagePullBackOff", "failed to resolve reference \"REGISTRY/none:1\": REGISTRY/none:1: not found")]
    [TestCase("never", """ "containers": [{"name": "main", "image": "REGISTRY/none:2", "imagePullPolicy": "Never"}] """, "ErrImageNeverPull", "is not present with pull policy of Never")]
    [TestCase("no-key", """ "containers": [{"name": "main", "image": "local/tools:1", "env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "kube-root-ca.crt", "key": "none"}}}]}] """, "CreateContainerConfigError", "couldn't find key none in ConfigMap ")]
    [TestCase("no-map", """ "containers": [{"name": "main", "image": "local/tools:1", "envFrom": [{"secretRef": {"name": "none"}}]}] """, "CreateContainerConfigError", "secret \"none\" not found")]
    [TestCase("root", """ "securityContext": {"runAsNonRoot": true}, "containers": [{"name": "main", "image": "local/tools:1"}] """, "CreateContainerConfigError", "container has runAsNonRoot and image will run as root")]
    public async Task Should_Wait_For_The_Reason_That_A_Kubelet_Gives_When_A_Container_Cannot_Run(string name, string spec, string reason, string message)
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, name, spec.Replace("REGISTRY", SharedCluster.Instance.Addresses.Registry, StringComparison.Ordinal));

        var pod = await SharedCluster.Instance.PodAsync(_ns, name, pod => Waiting(pod)?.Reason == reason);

        Assert.That(Waiting(pod)!.Message, Does.Contain(message.Replace("REGISTRY", SharedCluster.Instance.Addresses.Registry, StringComparison.Ordinal)));
    }

    [TestCase("oom", """ ["sh", "-c", "x=0123456789; while true; do x=$x$x; done"] """, "OOMKilled", 137)]
    [TestCase("fails", """ ["sh", "-c", "exit 7"] """, "Error", 7)]
    [TestCase("ends", """ ["echo", "done"] """, "Completed", 0)]
    public async Task Should_Say_How_It_Ended_When_A_Container_Is_Not_Restarted(string name, string command, string reason, int code)
    {
        await SharedCluster.Instance.CreatePodAsync(
            _ns, name, $$$""" "restartPolicy": "Never", "containers": [{"name": "main", "image": "local/tools:1", "command": {{{command}}}, "resources": {"limits": {"memory": "32Mi"} } }] """);

        var pod = await SharedCluster.Instance.PodAsync(_ns, name, pod => pod.Status.Phase is "Succeeded" or "Failed");

        var ended = pod.Status.ContainerStatuses[0].State.Terminated;
        Assert.That((pod.Status.Phase, ended.Reason, ended.ExitCode), Is.EqualTo((code == 0 ? "Succeeded" : "Failed", reason, code)));
    }

    [Test]
    public async Task Should_Crash_With_The_Loader_S_Words_When_The_Image_Is_For_Another_Architecture()
    {
        await using var files = await PauseImage.RootFileSystemAsync("arm64", default);
        await SharedCluster.Instance.ImportAsync(files, "local/arm:1", "linux/arm64");
        await SharedCluster.Instance.CreatePodAsync(_ns, "arm", """ "containers": [{"name": "main", "image": "local/arm:1", "command": ["/pause"], "terminationMessagePolicy": "FallbackToLogsOnError"}] """);

        var pod = await SharedCluster.Instance.PodAsync(_ns, "arm", pod => Waiting(pod)?.Reason == "CrashLoopBackOff");

        Assert.That(pod.Status.ContainerStatuses[0].LastState.Terminated.Message, Does.Contain("exec format error"));
    }

    [Test]
    public async Task Should_Say_That_Access_Is_Denied_When_The_Registry_Wants_Credentials()
    {
        await using var registry = WebApplication.Create();
        registry.Urls.Add("http://127.0.0.1:0");
        registry.Run(context =>
        {
            context.Response.StatusCode = StatusCodes.Status401Unauthorized;
            context.Response.Headers.WWWAuthenticate = "Basic realm=\"test\"";
            return Task.CompletedTask;
        });
        await registry.StartAsync();
        var host = new Uri(registry.Urls.Single()).Authority;
        await SharedCluster.Instance.CreatePodAsync(_ns, "private", $$$""" "containers": [{"name": "main", "image": "{{{host}}}/app:1"}] """);

        var pod = await SharedCluster.Instance.PodAsync(_ns, "private", pod => Waiting(pod)?.Reason == "ErrImagePull");

        Assert.That(Waiting(pod)!.Message, Does.Contain("pull access denied, repository does not exist or may require authorization"));
    }

    [Test]
    public async Task Should_Run_When_The_Image_Appears_After_The_First_Pull_Failed()
    {
        var image = $"{SharedCluster.Instance.Addresses.Registry}/late:1";
        await SharedCluster.Instance.CreatePodAsync(_ns, "late", $$$""" "terminationGracePeriodSeconds": 0, "containers": [{"name": "main", "image": "{{{image}}}", "command": ["sleep", "1000"]}] """);
        await SharedCluster.Instance.PodAsync(_ns, "late", pod => Waiting(pod)?.Reason == "ImagePullBackOff");
        await SharedCluster.Instance.PushToolsAsync("late");

        var pod = await SharedCluster.Instance.PodAsync(_ns, "late", IsReady);

        Assert.That(pod.Status.ContainerStatuses[0].ImageID, Does.StartWith($"{SharedCluster.Instance.Addresses.Registry}/late@sha256:"));
    }

    [Test]
    public async Task Should_Run_Init_Containers_First_When_There_Are_Some()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "init", """
            "restartPolicy": "Never", "volumes": [{"name": "scratch", "emptyDir": {}}],
            "initContainers": [{"name": "prepare", "image": "local/tools:1", "command": ["sh", "-c", "echo prepared > /scratch/file"], "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}],
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["cat", "/scratch/file"], "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}]
            """);
        await SharedCluster.Instance.PodAsync(_ns, "init", pod => pod.Status.Phase == "Succeeded");

        Assert.That(await SharedCluster.Instance.LogAsync(_ns, "init"), Is.EqualTo("prepared\n"));
    }

    [Test]
    public async Task Should_Not_Start_The_Others_When_An_Init_Container_Fails()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "init-fails", """
            "initContainers": [{"name": "prepare", "image": "local/tools:1", "command": ["sh", "-c", "exit 1"]}],
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"]}]
            """);

        var pod = await SharedCluster.Instance.PodAsync(_ns, "init-fails", pod => pod.Status.InitContainerStatuses?[0].State.Waiting?.Reason == "CrashLoopBackOff");

        Assert.That((pod.Status.Phase, Waiting(pod)!.Reason), Is.EqualTo(("Pending", "PodInitializing")));
    }

    [Test]
    public async Task Should_Give_A_Container_Its_Variables_Files_And_Rights_When_The_Spec_Has_Them()
    {
        await SharedCluster.Instance.Client.CoreV1.CreateNamespacedConfigMapAsync(
            new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "settings" }, Data = new Dictionary<string, string> { ["MODE"] = "test", ["file"] = "content" } }, _ns);
        await SharedCluster.Instance.Client.CoreV1.CreateNamespacedSecretAsync(
            new V1Secret { Metadata = new V1ObjectMeta { Name = "secrets" }, Data = new Dictionary<string, byte[]> { ["key"] = Encoding.UTF8.GetBytes("s3cret") } }, _ns);
        await SharedCluster.Instance.CreatePodAsync(_ns, "inputs", """
            "restartPolicy": "Never", "securityContext": {"runAsUser": 1000, "runAsGroup": 2000, "fsGroup": 3000},
            "volumes": [{"name": "settings", "configMap": {"name": "settings"}}, {"name": "secrets", "secret": {"secretName": "secrets", "defaultMode": 288}}, {"name": "memory", "emptyDir": {"medium": "Memory"}}],
            "containers": [{"name": "main", "image": "local/tools:1",
              "envFrom": [{"configMapRef": {"name": "settings"}}],
              "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}, {"name": "BOTH", "value": "$(MODE)-$(POD)"}],
              "command": ["sh", "-c"], "args": ["echo $BOTH $(cat /etc/settings/file /etc/secrets/key); id -u; id -g; id -G; touch /memory/x && echo writable; touch /x || echo sealed; stat -L -c %a /etc/secrets/key"],
              "securityContext": {"readOnlyRootFilesystem": true, "allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
              "volumeMounts": [{"name": "settings", "mountPath": "/etc/settings"}, {"name": "secrets", "mountPath": "/etc/secrets"}, {"name": "memory", "mountPath": "/memory"}]}]
            """);
        await SharedCluster.Instance.PodAsync(_ns, "inputs", pod => pod.Status.Phase == "Succeeded");

        var lines = (await SharedCluster.Instance.LogAsync(_ns, "inputs")).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.That(lines.Where(line => !line.StartsWith("touch:", StringComparison.Ordinal)), Is.EqualTo(new[] { "test-inputs contents3cret", "1000", "2000", "2000 3000", "writable", "sealed", "440" }));
    }

    [Test]
    public async Task Should_Kill_And_Restart_When_The_Liveness_Probe_Fails()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "dies", """
            "terminationGracePeriodSeconds": 1,
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"], "livenessProbe": {"exec": {"command": ["cat", "/none"]}, "periodSeconds": 1, "failureThreshold": 2}}]
            """);
        await SharedCluster.Instance.PodAsync(_ns, "dies", pod => pod.Status.ContainerStatuses?[0].RestartCount > 0);

        Assert.Multiple(async () =>
        {
            Assert.That(await SharedCluster.Instance.EventsAsync(_ns, "dies", "Unhealthy"), Has.Some.StartsWith("Liveness probe failed: cat: can't open '/none'"));
            Assert.That(await SharedCluster.Instance.EventsAsync(_ns, "dies", "Killing"), Has.Some.EqualTo("Container main failed liveness probe, will be restarted"));
        });
    }

    [Test]
    public async Task Should_Not_Be_Ready_When_The_Readiness_Probe_Fails()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "unready", """
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "mkdir /www; httpd -f -p 8000 -h /www"], "ports": [{"name": "http", "containerPort": 8000}],
              "readinessProbe": {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 1}}]
            """);
        await TestCluster.UntilAsync(() => SharedCluster.Instance.EventsAsync(_ns, "unready", "Unhealthy"), events => events.Contains("Readiness probe failed: HTTP probe failed with statuscode: 404"));
        Assert.That(IsReady(await SharedCluster.Instance.Client.CoreV1.ReadNamespacedPodAsync("unready", _ns)), Is.False);

        await ExecAsync("unready", "touch", "/www/health");

        await SharedCluster.Instance.PodAsync(_ns, "unready", IsReady);
    }

    [Test]
    public async Task Should_Keep_The_Log_And_Last_Words_Of_The_Previous_When_A_Container_Restarts()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "twice", """ "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "echo failing; echo because > /dev/termination-log; exit 1"]}] """);

        var pod = await SharedCluster.Instance.PodAsync(_ns, "twice", pod => pod.Status.ContainerStatuses?[0] is { RestartCount: > 0, LastState.Terminated: not null });

        Assert.That(pod.Status.ContainerStatuses[0].LastState.Terminated.Message, Is.EqualTo("because\n"));
        Assert.That(await SharedCluster.Instance.LogAsync(_ns, "twice", previous: true), Is.EqualTo("failing\n"));
    }

    [Test]
    public async Task Should_Pass_On_Streams_And_Exit_Code_When_A_Command_Is_Executed()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "exec", Sleeper);
        await SharedCluster.Instance.PodAsync(_ns, "exec", IsReady);

        Assert.That(await ExecAsync("exec", "sh", "-c", "echo out; echo err >&2; exit 3"), Is.EqualTo((3, "out\n", "err\n")));
    }

    [Test]
    public async Task Should_Leave_Nothing_On_The_Engine_When_A_Pod_Is_Deleted()
    {
        var created = await SharedCluster.Instance.CreatePodAsync(_ns, "deleted", Sleeper);
        await SharedCluster.Instance.PodAsync(_ns, "deleted", IsReady);

        await SharedCluster.Instance.Client.CoreV1.DeleteNamespacedPodAsync("deleted", _ns);
        await TestCluster.UntilAsync(async () => (await SharedCluster.Instance.Client.CoreV1.ListNamespacedPodAsync(_ns, fieldSelector: "metadata.name=deleted")).Items.Count, count => count == 0);

        await TestCluster.UntilAsync(
            async () => (await SharedCluster.Instance.Engine.Containers.ListContainersAsync(new() { All = true })).Count(container => container.Labels.Values.Contains(created.Metadata.Uid)),
            count => count == 0);
        await TestCluster.UntilAsync(() => Task.FromResult(Directory.Exists(Path.Combine(SharedCluster.Instance.Sandbox.Directories.Node, "pods", created.Metadata.Uid))), exists => !exists);
    }

    [Test]
    public async Task Should_Run_The_Hook_And_Wait_For_The_Process_When_A_Pod_Ends_Gracefully()
    {
        var marks = Directory.CreateTempSubdirectory("cake-k3s-marks-").FullName;
        try
        {
            await SharedCluster.Instance.CreatePodAsync(_ns, "graceful", $$$"""
                "terminationGracePeriodSeconds": 10, "volumes": [{"name": "marks", "hostPath": {"path": "{{{marks}}}"}}],
                "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "trap 'echo term >> /marks/file; exit 0' TERM; while true; do sleep 0.1; done"],
                  "lifecycle": {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /marks/file"]} } }, "volumeMounts": [{"name": "marks", "mountPath": "/marks"}]}]
                """);
            await SharedCluster.Instance.PodAsync(_ns, "graceful", IsReady);

            await SharedCluster.Instance.Client.CoreV1.DeleteNamespacedPodAsync("graceful", _ns);
            await TestCluster.UntilAsync(async () => (await SharedCluster.Instance.Client.CoreV1.ListNamespacedPodAsync(_ns, fieldSelector: "metadata.name=graceful")).Items.Count, count => count == 0);

            Assert.That(await File.ReadAllTextAsync(Path.Combine(marks, "file")), Is.EqualTo("hook\nterm\n"));
        }
        finally
        {
            Directory.Delete(marks, recursive: true);
        }
    }

    [Test]
    public async Task Should_Send_The_Request_When_A_Post_Start_Hook_Is_An_Address()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "called", """
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["sh", "-c", "mkdir -p /tmp/www; echo hi > /tmp/www/there; echo hi > /tmp/www/hook; httpd -f -vv -p 8080 -h /tmp/www"],
              "readinessProbe": {"httpGet": {"path": "/there", "port": 8080}, "periodSeconds": 1}}]
            """);
        var host = (await SharedCluster.Instance.PodAsync(_ns, "called", IsReady)).Status.PodIP;

        await SharedCluster.Instance.CreatePodAsync(_ns, "calling", Hooked($$$""" "httpGet": {"host": "{{{host}}}", "port": 8080, "path": "/hook"} """));
        await SharedCluster.Instance.CreatePodAsync(_ns, "refused", Hooked($$$""" "httpGet": {"host": "{{{host}}}", "port": 8080, "path": "/nowhere"} """));

        await SharedCluster.Instance.PodAsync(_ns, "calling", IsReady);
        await SharedCluster.Instance.PodAsync(_ns, "refused", pod => pod.Status.ContainerStatuses?[0].RestartCount > 0);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(await SharedCluster.Instance.LogAsync(_ns, "called"), Does.Contain("url:/hook"));
            Assert.That(await SharedCluster.Instance.EventsAsync(_ns, "calling", "FailedPostStartHook"), Is.Empty);
            Assert.That(await SharedCluster.Instance.EventsAsync(_ns, "refused", "FailedPostStartHook"), Has.Some.Contains("404"));
        }
    }

    [Test]
    public async Task Should_Not_Be_Ready_Before_The_End_Of_The_Hook_When_It_Sleeps()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "sleepy", Hooked(""" "sleep": {"seconds": 4} """));

        var pod = await SharedCluster.Instance.PodAsync(_ns, "sleepy", IsReady);

        // Times in the API are whole seconds.
        var ready = pod.Status.Conditions.Single(condition => condition.Type == "Ready").LastTransitionTime;
        Assert.That(ready - pod.Status.ContainerStatuses[0].State.Running.StartedAt, Is.GreaterThanOrEqualTo(TimeSpan.FromSeconds(3)));
    }

    [Test]
    public async Task Should_Stay_Pending_With_The_Scheduler_S_Words_When_The_Node_Is_Too_Small()
    {
        await SharedCluster.Instance.CreatePodAsync(_ns, "huge", """ "containers": [{"name": "main", "image": "local/tools:1", "resources": {"requests": {"cpu": "1000"}}}] """);

        var pod = await SharedCluster.Instance.PodAsync(_ns, "huge", pod => pod.Status.Conditions?.Any(condition => condition.Reason == "Unschedulable") == true);

        Assert.That(pod.Status.Conditions.Single(condition => condition.Type == "PodScheduled").Message, Does.StartWith("0/1 nodes are available: 1 Insufficient cpu."));
    }

    [Test]
    public async Task Should_Show_The_New_Content_When_A_Mounted_ConfigMap_Changes()
    {
        var map = new V1ConfigMap { Metadata = new V1ObjectMeta { Name = "live" }, Data = new Dictionary<string, string> { ["a"] = "1" } };
        await SharedCluster.Instance.Client.CoreV1.CreateNamespacedConfigMapAsync(map, _ns);
        await SharedCluster.Instance.CreatePodAsync(_ns, "live", """
            "terminationGracePeriodSeconds": 0, "volumes": [{"name": "live", "configMap": {"name": "live"}}],
            "containers": [{"name": "main", "image": "local/tools:1", "command": ["sleep", "1000"], "volumeMounts": [{"name": "live", "mountPath": "/live"}]}]
            """);
        await SharedCluster.Instance.PodAsync(_ns, "live", IsReady);

        map.Data["a"] = "2";
        await SharedCluster.Instance.Client.CoreV1.ReplaceNamespacedConfigMapAsync(map, "live", _ns);

        await TestCluster.UntilAsync(async () => (await ExecAsync("live", "cat", "/live/a")).Output, output => output == "2");
    }

    private async Task<(int Code, string Output, string Error)> ExecAsync(string pod, params string[] command)
    {
        var (output, error) = (new MemoryStream(), new MemoryStream());
        var code = await SharedCluster.Instance.Client.NamespacedPodExecAsync(
            pod, _ns, "main", command, false, async (_, stdout, stderr) => await Task.WhenAll(stdout.CopyToAsync(output), stderr.CopyToAsync(error)), default);
        return (code, Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(error.ToArray()));
    }

    private static bool IsReady(V1Pod pod) => pod.Status?.Conditions?.Any(condition => condition is { Type: "Ready", Status: "True" }) == true;

    private static V1ContainerStateWaiting? Waiting(V1Pod pod) => pod.Status?.ContainerStatuses?[0].State?.Waiting;
}
