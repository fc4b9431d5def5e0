using System.Runtime.Versioning;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Releases;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>The compiled host deploys through a network that loses one request in ten, and every watch after less than half a second.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
internal sealed class DisturbedDeployTests
{
    private const int Maps = 119;
    private const int Services = 40;
    private const int Stopped = 38;
    private const int Running = 2;

    private static readonly TimeSpan WatchLasts = TimeSpan.FromMilliseconds(400);

    private readonly Random _random = new(20);
    private readonly FaultyAnswers _faults = new(retryAfter: "1");
    private ClusterApi _api = null!;
    private int _cuts;

    [TearDown]
    public Task RemoveAsync() => SharedSandbox.RemoveAsync(_api);

    [Test]
    public async Task Should_DeployAndVerify200Objects_When_RequestsAreLostAndWatchesAreCut()
    {
        _api = await SharedSandbox.NamespaceAsync();
        await using var proxy = await ApiProxy.StartAsync(SharedSandbox.Addresses.Kubeconfig);
        proxy.Between = DisturbAsync;
        using var app = new ManifestApp(proxy.Address, _api.Namespace);
        app.Write("manifests/app.yaml", string.Join("\n---\n", Manifests()));

        var run = await app.RunAsync("--target=Deploy");

        var total = Regex.Matches(run.Output, @"(\d+) requests were repeated (\(.*\))").LastOrDefault();
        var members = await Rehearsal.LeftoversAsync(
            _api, new(ManifestApp.Name, _api.Namespace), new(["Namespace", "ConfigMap", "Service", "Deployment.apps"], [_api.Namespace]), wanted: [], default);
        var releases = await new ReleaseStore(_api, ManifestApp.Name).ListAsync(default);
        await TestContext.Out.WriteLineAsync($"{_faults.Count} faults, {_cuts} watches cut");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(run.ExitCode, Is.Zero);
            Assert.That(members, Has.Count.EqualTo(200));
            Assert.That(releases.Select(release => release.State), Is.EqualTo([ReleaseState.Verified]));
            Assert.That(_cuts, Is.Positive);
            Assert.That(int.Parse(total?.Groups[1].Value ?? "0"), Is.GreaterThanOrEqualTo(_faults.Count).And.GreaterThan(20), "the run says how often it asked again");
            Assert.That(total?.Groups[2].Value, Does.Contain("429").And.Contain("500").And.Contain("503").And.Contain("connection lost").And.Contain("no answer"));
        }
    }

    private IEnumerable<string> Manifests() =>
    [
        $"{{apiVersion: v1, kind: Namespace, metadata: {{name: {_api.Namespace}}}}}",
        .. Enumerable.Range(0, Maps).Select(i => $"{{apiVersion: v1, kind: ConfigMap, metadata: {{name: map-{i}}}, data: {{value: \"{i}\"}}}}"),
        .. Enumerable.Range(0, Services).Select(i => $"{{apiVersion: v1, kind: Service, metadata: {{name: app-{i}}}, spec: {{selector: {{app: app-{i}}}, ports: [{{port: 80}}]}}}}"),
        .. Enumerable.Range(0, Stopped + Running).Select(i => Deployment(i, replicas: i < Running ? 1 : 0)),
    ];

    private static string Deployment(int number, int replicas) => $$$"""
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: app-{{{number}}}, annotations: {cake.k3s/settle: 5s}}
        spec:
          replicas: {{{replicas}}}
          selector: {matchLabels: {app: "app-{{{number}}}"}}
          template:
            metadata: {labels: {app: "app-{{{number}}}"}}
            spec:
              terminationGracePeriodSeconds: 0
              containers:
                - name: app
                  image: {{{SharedSandbox.ShellReference()}}}
                  command: [/bin/sleep, "3600"]
                  ports: [{containerPort: 80}]
        """;

    private async Task DisturbAsync(HttpContext context, Func<Task> pass)
    {
        if (IsSpared())
        {
            await PassAsync(context, pass);
            return;
        }

        await _faults.AnswerAsync(context, () => PassAsync(context, pass));
    }

    private bool IsSpared()
    {
        lock (_random)
        {
            return _random.Next(10) > 0;
        }
    }

    private async Task PassAsync(HttpContext context, Func<Task> pass)
    {
        if (!context.Request.Query.ContainsKey("watch"))
        {
            await pass();
            return;
        }

        using var cut = new CancellationTokenSource(WatchLasts);
        await using var cutting = cut.Token.Register(context.Abort);
        try
        {
            await pass();
        }
        finally
        {
            // Passing on ends well or with an error, as the cut has it.
            if (cut.IsCancellationRequested)
            {
                Interlocked.Increment(ref _cuts);
            }
        }
    }
}
