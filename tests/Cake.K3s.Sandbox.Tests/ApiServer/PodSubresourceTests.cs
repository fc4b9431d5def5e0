using System.Net;
using System.Net.Sockets;
using System.Text;
using Cake.K3s.Sandbox.ApiServer.Pods;
using k8s;

namespace Cake.K3s.Sandbox.Tests.ApiServer;

internal sealed class PodSubresourceTests
{
    private TestApi _api = null!;
    private EchoRuntime _runtime = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _runtime = new EchoRuntime();
        _api = await TestApi.StartAsync(runtime: _runtime);
        await _api.PostAsync(Samples.Pods, Samples.Pod("p", metadata: ""","labels":{"app":"p"}"""));
        await _api.PostAsync(Samples.Pods + "/p/binding", """{"target":{"kind":"Node","name":"n1"}}""");
        await _api.PatchAsync(Samples.Pods + "/p/status", """{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}""");
    }

    [TearDown]
    public async Task StopAsync()
    {
        await _api.DisposeAsync();
        _runtime.Dispose();
    }

    [Test]
    public async Task Should_bind_only_once_When_two_schedulers_try()
    {
        var answer = await _api.PostAsync(Samples.Pods + "/p/binding", """{"target":{"kind":"Node","name":"n2"}}""");

        Assert.That((answer.Code, answer.Message), Is.EqualTo((409, "Operation cannot be fulfilled on pods \"p\": pod p is already assigned to node \"n1\"")));
    }

    [Test]
    public async Task Should_pass_the_options_on_When_a_log_is_read()
    {
        using var response = await _api.Http.GetAsync(new Uri(Samples.Pods + "/p/log?tailLines=3&previous=true&timestamps=true", UriKind.Relative));

        Assert.Multiple(async () =>
        {
            Assert.That(await response.Content.ReadAsStringAsync(), Is.EqualTo("main says hello\n"));
            Assert.That(_runtime.LastLog, Is.EqualTo(new ContainerLogRequest(_runtime.LastLog!.Pod, "main", Previous: true, Timestamps: true, TailLines: 3)));
        });
    }

    [Test]
    public async Task Should_name_the_containers_When_a_log_names_none_that_is_there()
    {
        var answer = await _api.GetAsync(Samples.Pods + "/p/log?container=other");

        Assert.That((answer.Code, answer.Message), Is.EqualTo((400, "container other is not valid for pod p")));
    }

    [Test]
    public async Task Should_pass_the_words_of_the_node_on_When_it_refuses()
    {
        _runtime.Refusal = "container \"main\" in pod \"p\" is waiting to start: ContainerCreating";
        var answer = await _api.GetAsync(Samples.Pods + "/p/log");

        Assert.That((answer.Code, answer.Message), Is.EqualTo((400, _runtime.Refusal)));
    }

    [Test]
    public async Task Should_carry_both_outputs_and_the_exit_code_When_a_command_is_run()
    {
        var (output, error) = ("", "");
        var code = await _api.Kubernetes.NamespacedPodExecAsync("p", "default", "main", ["fail", "3"], tty: false, async (_, stdout, stderr) =>
        {
            output = await new StreamReader(stdout).ReadToEndAsync();
            error = await new StreamReader(stderr).ReadToEndAsync();
        }, CancellationToken.None);

        Assert.That((code, output, error), Is.EqualTo((3, "fail 3\n", "went wrong\n")));
    }

    [Test]
    public async Task Should_carry_bytes_both_ways_When_a_port_is_forwarded_over_channels()
    {
        using var socket = await _api.Kubernetes.WebSocketNamespacedPodPortForwardAsync("p", "default", [_runtime.Port], "v4.channel.k8s.io");
        using var demuxer = new StreamDemuxer(socket, StreamType.PortForward);
        demuxer.Start();
        using var stream = demuxer.GetStream((byte?)0, (byte?)0);
        await stream.WriteAsync(Encoding.ASCII.GetBytes("ping\n"));
        var buffer = new byte[5];
        await stream.ReadExactlyAsync(buffer);

        Assert.That(Encoding.ASCII.GetString(buffer), Is.EqualTo("ping\n"));
    }

    [Test]
    public async Task Should_scale_and_only_scale_When_the_subresource_is_written()
    {
        await _api.PostAsync(Samples.Deployments, Samples.Deployment("web"));
        var scaled = await _api.PatchAsync(Samples.Deployments + "/web/scale", """{"spec":{"replicas":4}}""");
        var web = await _api.GetAsync(Samples.Deployments + "/web");

        Assert.That((scaled["kind"], scaled["status.selector"], web["spec.replicas"]), Is.EqualTo(("Scale", "app=web", "4")));
    }

    [Test]
    public async Task Should_refuse_an_eviction_When_the_budget_allows_none()
    {
        const string Budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
        const string Eviction = """{"apiVersion":"policy/v1","kind":"Eviction","metadata":{"name":"p"}}""";
        await _api.PostAsync(Budgets, """{"metadata":{"name":"b"},"spec":{"minAvailable":1,"selector":{"matchLabels":{"app":"p"}}}}""");
        await _api.PatchAsync(Budgets + "/b/status", """{"status":{"observedGeneration":1,"disruptionsAllowed":0,"currentHealthy":1,"desiredHealthy":1,"expectedPods":1}}""");
        var refused = await _api.PostAsync(Samples.Pods + "/p/eviction", Eviction);
        await _api.PatchAsync(Budgets + "/b/status", """{"status":{"disruptionsAllowed":1}}""");
        var allowed = await _api.PostAsync(Samples.Pods + "/p/eviction", Eviction);
        var budget = await _api.GetAsync(Budgets + "/b");
        var pod = await _api.GetAsync(Samples.Pods + "/p");

        Assert.Multiple(() =>
        {
            Assert.That((refused.Code, refused["reason"], refused.Message), Is.EqualTo((429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget.")));
            Assert.That(refused["details.causes.0.message"], Is.EqualTo("The disruption budget b needs 1 healthy pods and has 1 currently"));
            Assert.That((allowed.Code, budget["status.disruptionsAllowed"], pod["metadata.deletionTimestamp"] is not null), Is.EqualTo((201, "0", true)));
        });
    }

    [Test]
    public async Task Should_let_in_whom_it_gave_a_token_When_the_account_is_still_there()
    {
        await _api.PostAsync("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"robot"}}""");
        var token = await _api.PostAsync("/api/v1/namespaces/default/serviceaccounts/robot/token", """{"spec":{}}""");
        var review = $$$"""{"spec":{"token":"{{{token["status.token"]}}}"}}""";
        var good = await _api.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", review);
        await _api.DeleteAsync("/api/v1/namespaces/default/serviceaccounts/robot");
        var bad = await _api.PostAsync("/apis/authentication.k8s.io/v1/tokenreviews", review);

        Assert.That((good["status.user.username"], bad["status.authenticated"]), Is.EqualTo(("system:serviceaccount:default:robot", (string?)null)));
    }

    /// <summary>A node whose containers repeat what they are told, and whose one port sends back what it gets.</summary>
    private sealed class EchoRuntime : IPodRuntime, IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

        public EchoRuntime()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public ContainerLogRequest? LastLog { get; private set; }

        public string? Refusal { get; set; }

        public Task<Stream> OpenLogsAsync(ContainerLogRequest request, CancellationToken cancellationToken)
        {
            LastLog = request;
            return Refusal is null
                ? Task.FromResult<Stream>(new MemoryStream(Encoding.UTF8.GetBytes($"{request.Container} says hello\n")))
                : throw new PodRuntimeException(400, Refusal);
        }

        public Task<IContainerSession> ExecAsync(ContainerExecRequest request, CancellationToken cancellationToken)
            => Task.FromResult<IContainerSession>(new Session(request));

        public Task<IContainerSession> AttachAsync(ContainerAttachRequest request, CancellationToken cancellationToken)
            => throw new PodRuntimeException(400, "nothing to attach to");

        public async Task<Stream> ConnectAsync(PodReference pod, int port, CancellationToken cancellationToken)
        {
            var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, cancellationToken);
            return client.GetStream();
        }

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    var client = await _listener.AcceptTcpClientAsync();
                    _ = client.GetStream().CopyToAsync(client.GetStream());
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // The test is over.
            }
        }

        private sealed class Session(ContainerExecRequest request) : IContainerSession
        {
            public Stream? StandardInput => null;

            public Stream? StandardOutput { get; } = new MemoryStream(Encoding.UTF8.GetBytes(string.Join(' ', request.Command) + "\n"));

            public Stream? StandardError { get; } = request.Stderr ? new MemoryStream("went wrong\n"u8.ToArray()) : null;

            public Task ResizeAsync(int width, int height, CancellationToken cancellationToken) => Task.CompletedTask;

            public Task<int> WaitAsync(CancellationToken cancellationToken)
                => Task.FromResult(request.Command is ["fail", var code] ? int.Parse(code, System.Globalization.CultureInfo.InvariantCulture) : 0);

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }
}
