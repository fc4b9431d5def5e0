using System.Net.Sockets;
using System.Text;
using CliWrap;
using k8s;

namespace Conformance;

/// <summary>Needs a cluster that runs pods.</summary>
internal sealed class WorkloadTests : ClusterTest
{
    [SetUp]
    public async Task StartAsync()
    {
        if ((await Client.CoreV1.ListNodeAsync()).Items.Count == 0)
        {
            Assert.Ignore("The cluster has no node.");
        }

        await KubectlWithAsync(Manifests.Redis("cache"), "apply", "-f", "-");
        await KubectlAsync("rollout", "status", "deployment/cache", "--timeout=150s");
    }

    [Test]
    public async Task Should_say_that_the_server_is_ready_When_its_log_is_followed()
        => await KubectlUntilAsync(lines => lines.Exists(line => line.Contains("Ready to accept connections", StringComparison.Ordinal)), null, "logs", "-f", "deployment/cache");

    [Test]
    public async Task Should_carry_output_and_exit_code_When_a_command_is_run_in_a_container()
    {
        var pong = await TryKubectlAsync(null, "exec", "deployment/cache", "--", "redis-cli", "ping");
        var typed = await TryKubectlAsync("SET k 42\nGET k\n", "exec", "-i", "deployment/cache", "--", "redis-cli");
        var failed = await TryKubectlAsync(null, "exec", "deployment/cache", "--", "redis-cli", "-p", "1", "ping");

        Assert.Multiple(() =>
        {
            Assert.That(pong.StandardOutput.Trim(), Is.EqualTo("PONG"), pong.StandardError);
            Assert.That(typed.StandardOutput, Does.Contain("42"), typed.StandardError);
            Assert.That(failed.ExitCode, Is.EqualTo(1));
            Assert.That(failed.StandardError, Does.Contain("command terminated with exit code 1"));
        });
    }

    [Test]
    public async Task Should_carry_connections_When_a_port_is_forwarded()
        => Assert.That(await ForwardAsync("deployment/cache"), Is.EqualTo((string[])["+PONG\r\n", "+PONG\r\n"]));

    [Test]
    public async Task Should_reach_a_server_that_listens_on_the_loopback_only_When_a_port_is_forwarded()
    {
        await KubectlWithAsync($$"""
            apiVersion: v1
            kind: Pod
            metadata: {name: inside}
            spec:
              terminationGracePeriodSeconds: 1
              containers:
              - name: redis
                image: {{ClusterUnderTest.Image}}
                command: [redis-server, --save, "", --bind, 127.0.0.1]
                readinessProbe: {exec: {command: [redis-cli, ping]}, periodSeconds: 1}
            """, "apply", "-f", "-");
        await KubectlAsync("wait", "pod/inside", "--for=condition=Ready", "--timeout=120s");

        Assert.That(await ForwardAsync("pod/inside"), Is.EqualTo((string[])["+PONG\r\n", "+PONG\r\n"]));
    }

    /// <summary>What a server says to two connections over a forwarded port.</summary>
    private async Task<List<string>> ForwardAsync(string target)
    {
        using var ending = new CancellationTokenSource(TimeSpan.FromMinutes(1));
        var ready = new TaskCompletionSource<int>(TaskCreationOptions.RunContinuationsAsynchronously);
        var forwarding = Cli.Wrap(ClusterUnderTest.Kubectl)
            .WithArguments(["--kubeconfig", ClusterUnderTest.Kubeconfig, "-n", Namespace, "port-forward", "--address=127.0.0.1", target, ":6379"])
            .WithStandardOutputPipe(PipeTarget.ToDelegate(line =>
            {
                if (line.StartsWith("Forwarding from 127.0.0.1:", StringComparison.Ordinal))
                {
                    ready.TrySetResult(int.Parse(line.Split(':', ' ')[3], System.Globalization.CultureInfo.InvariantCulture));
                }
            }))
            .WithValidation(CommandResultValidation.None).ExecuteAsync(ending.Token);
        var port = await ready.Task.WaitAsync(ending.Token);
        var answers = new List<string>();
        for (var at = 0; at < 2; at++)
        {
            using var client = new TcpClient("127.0.0.1", port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes("PING\r\n"), ending.Token);
            var buffer = new byte[7];
            await client.GetStream().ReadExactlyAsync(buffer, ending.Token);
            answers.Add(Encoding.ASCII.GetString(buffer));
        }

        await ending.CancelAsync();
        Assert.That(async () => await forwarding, Throws.InstanceOf<OperationCanceledException>());
        return answers;
    }

    [Test]
    public async Task Should_go_there_and_back_When_a_rollout_is_undone()
    {
        await KubectlAsync("set", "env", "deployment/cache", "STEP=2");
        await KubectlAsync("rollout", "status", "deployment/cache", "--timeout=120s");
        await KubectlAsync("rollout", "undo", "deployment/cache");
        await KubectlAsync("rollout", "status", "deployment/cache", "--timeout=120s");
        var history = await KubectlAsync("rollout", "history", "deployment/cache");
        var env = await KubectlAsync("get", "deployment", "cache", "-o", "jsonpath={.spec.template.spec.containers[0].env}");

        Assert.Multiple(() =>
        {
            Assert.That(env, Is.Empty);
            Assert.That(history, Does.Contain("3 ").And.Not.Contain("\n1 "));
        });
    }

    [Test]
    public async Task Should_replace_the_pods_When_a_rollout_is_restarted()
    {
        var before = await KubectlAsync("get", "pods", "-o", "jsonpath={.items[*].metadata.name}");
        await KubectlAsync("rollout", "restart", "deployment/cache");
        await KubectlAsync("rollout", "status", "deployment/cache", "--timeout=120s");
        await KubectlAsync("wait", "pod", before, "--for=delete", "--timeout=60s");
        var after = await KubectlAsync("get", "deployment", "cache", "-o", "jsonpath={.status.readyReplicas}");

        Assert.That(after, Is.EqualTo("1"));
    }

    [Test]
    public async Task Should_have_as_many_pods_as_asked_for_When_it_is_scaled()
    {
        await KubectlAsync("scale", "deployment/cache", "--replicas=2");
        await KubectlAsync("wait", "deployment/cache", "--for=jsonpath={.status.readyReplicas}=2", "--timeout=120s");
        await KubectlAsync("scale", "deployment/cache", "--current-replicas=2", "--replicas=0");
        await KubectlAsync("wait", "pods", "-l", "app=cache", "--for=delete", "--timeout=120s");

        Assert.That(await KubectlAsync("get", "pods", "-l", "app=cache", "-o", "name"), Is.Empty);
    }

    [Test]
    public async Task Should_move_the_pods_away_When_a_node_is_drained()
    {
        var node = await KubectlAsync("get", "pods", "-l", "app=cache", "-o", "jsonpath={.items[0].spec.nodeName}");
        var before = await KubectlAsync("get", "pods", "-l", "app=cache", "-o", "jsonpath={.items[0].metadata.name}");
        try
        {
            var drained = await KubectlAsync("drain", node, "--pod-selector=app=cache", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=120s");
            var status = await KubectlAsync("get", "node", node, "--no-headers");

            Assert.Multiple(() =>
            {
                Assert.That(drained, Does.Contain($"pod/{before} evicted"));
                Assert.That(status, Does.Contain("SchedulingDisabled"));
            });
        }
        finally
        {
            await KubectlAsync("uncordon", node);
        }
    }

    [Test]
    public async Task Should_take_replica_sets_and_pods_along_When_the_deployment_is_deleted()
    {
        await KubectlAsync("delete", "deployment", "cache", "--cascade=foreground", "--timeout=120s");

        Assert.That(await KubectlAsync("get", "replicasets,pods", "-l", "app=cache", "-o", "name"), Is.Empty);
    }

    [Test]
    public async Task Should_tell_of_pod_and_events_When_a_pod_is_described()
    {
        var description = await KubectlAsync("describe", "pods", "-l", "app=cache");

        Assert.That(description, Does.Contain("Status:").And.Contain("Running").And.Contain("Events:").And.Contain("Started"));
    }
}
