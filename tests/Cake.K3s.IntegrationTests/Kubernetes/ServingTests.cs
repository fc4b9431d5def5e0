using System.Collections.Concurrent;
using System.Net;
using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tests.Kubernetes.Releases;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>A client that asks all the time sees none of what a deploy does.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class ServingTests
{
    private ClusterApi _api = null!;
    private TemporaryDirectory _directory = null!;

    [SetUp]
    public async Task OpenAsync()
    {
        _api = await SharedSandbox.NamespaceAsync();
        _directory = new();
    }

    [TearDown]
    public async Task CloseAsync()
    {
        _directory.Dispose();
        await SharedSandbox.RemoveAsync(_api);
    }

    [Test]
    public async Task Should_AnswerEveryRequest_When_ReleasesRollOutFailAndAreRolledBack()
    {
        await DeployAsync("v1");
        await using var client = new Client($"{_api.Namespace}.localhost");
        await client.SeesAsync("v1");

        await DeployAsync("v2");
        await client.SeesAsync("v2");
        var failure = Assert.ThrowsAsync<K3sException>(() => DeployAsync("v3", "echo v3 is broken; exit 1"))!;
        await client.SeesAsync("v2");

        var releases = await new ReleaseStore(_api, DeployRun.App).ListAsync(default);
        await TestContext.Out.WriteLineAsync($"{client.Answers.Count} requests, {client.Failures.Count} failed\n{failure.Message}");
        Assert.Multiple(() =>
        {
            Assert.That(client.Failures, Is.Empty);
            Assert.That(client.Answers, Has.Count.GreaterThan(100));
            Assert.That(client.Answers, Has.None.EqualTo("v3"));
            Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.Failed));
            Assert.That(failure.Message, Does.Contain("v3 is broken").And.Contain("release 2 was put back and serves"));
            Assert.That(releases.Select(release => release.State), Is.EqualTo([ReleaseState.RolledBack, ReleaseState.Verified, ReleaseState.Verified]));
        });
    }

    [Test]
    public async Task Should_ExitWithRolledBack_When_NewVersionHadServed()
    {
        await DeployAsync("v1");

        // Long enough to be ready and take traffic, shorter than a rollout is watched.
        var failure = Assert.ThrowsAsync<K3sException>(() => DeployAsync("v2", "echo v2 > /www/index.html; httpd -p 8080 -h /www; sleep 9; exit 1"))!;

        Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.RolledBack));
    }

    private async Task DeployAsync(string version, string? script = null)
    {
        using var run = new DeployRun(_api, _directory.Path, new RecordingReporter(), TimeProvider.System);
        await run.DeployAsync(Manifests(version, script ?? $"echo {version} > /www/index.html; exec httpd -f -p 8080 -h /www"));
    }

    private IEnumerable<JsonObject> Manifests(string version, string script)
    {
        var text = $$$"""
            [{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},
              "spec":{"replicas":2,"strategy":{"rollingUpdate":{"maxSurge":1,"maxUnavailable":0}},"selector":{"matchLabels":{"app":"web"}},
               "template":{"metadata":{"labels":{"app":"web"},"annotations":{"version":"{{{version}}}"} },
                "spec":{"terminationGracePeriodSeconds":5,"containers":[{"name":"web","image":"{{{SharedSandbox.ShellReference()}}}",
                 "command":{{{new JsonArray("/bin/sh", "-c", script).ToJsonString()}}},
                 "lifecycle":{"preStop":{"sleep":{"seconds":2} } },
                 "readinessProbe":{"httpGet":{"path":"/","port":8080},"periodSeconds":1} }] } } } },
             {"apiVersion":"v1","kind":"Service","metadata":{"name":"web"},"spec":{"selector":{"app":"web"},"ports":[{"port":80,"targetPort":8080}]} },
             {"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"name":"web"},
              "spec":{"rules":[{"host":"{{{_api.Namespace}}}.localhost","http":{"paths":[{"path":"/","pathType":"Prefix",
               "backend":{"service":{"name":"web","port":{"number":80} } } }] } }] } }]
            """;
        return JsonNode.Parse(text)!.AsArray().Select(node => node!.DeepClone().AsObject());
    }

    /// <summary>Asks again and again, through the Ingress.</summary>
    private sealed class Client : IAsyncDisposable
    {
        private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(30) };
        private readonly CancellationTokenSource _ending = new();
        private readonly string _host;
        private readonly Task _asking;
        private volatile TaskCompletionSource<string> _next = New();

        public Client(string host)
        {
            _host = host;
            _asking = AskAsync();
        }

        public ConcurrentQueue<string> Answers { get; } = new();

        public ConcurrentQueue<string> Failures { get; } = new();

        /// <summary>Waits for an answer of a version.</summary>
        public async Task SeesAsync(string version)
        {
            using var limit = new CancellationTokenSource(TimeSpan.FromMinutes(1));
            while (await _next.Task.WaitAsync(limit.Token) != version)
            {
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _ending.CancelAsync();
            await _asking;
            _http.Dispose();
            _ending.Dispose();
        }

        private async Task AskAsync()
        {
            using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
            try
            {
                while (await pace.WaitForNextTickAsync(_ending.Token))
                {
                    await AskOnceAsync();
                }
            }
            catch (OperationCanceledException)
            {
                // The test has ended.
            }
        }

        private async Task AskOnceAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{SharedSandbox.Addresses.IngressPort}/");
            request.Headers.Host = _host;
            try
            {
                using var response = await _http.SendAsync(request, _ending.Token);
                var answer = (await response.Content.ReadAsStringAsync(_ending.Token)).Trim();
                if (response.StatusCode == HttpStatusCode.OK)
                {
                    Answers.Enqueue(answer);
                    Interlocked.Exchange(ref _next, New()).SetResult(answer);
                }
                else
                {
                    Failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {(int)response.StatusCode} {answer}");
                }
            }
            catch (HttpRequestException e)
            {
                Failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {e.Message}");
            }
            catch (TaskCanceledException e) when (!_ending.IsCancellationRequested)
            {
                Failures.Enqueue($"{DateTime.UtcNow:HH:mm:ss.fff} {e.Message}");
            }
        }

        private static TaskCompletionSource<string> New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
