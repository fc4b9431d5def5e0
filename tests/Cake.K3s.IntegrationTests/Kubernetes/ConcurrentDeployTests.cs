using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.IntegrationTests.Pipeline;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Kubernetes.Releases;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>Two compiled hosts deploy the same app: one at a time, whatever happens to the other.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class ConcurrentDeployTests
{
    private readonly TaskCompletionSource _inTheMiddle = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private ApiProxy _proxy = null!;
    private ClusterApi _api = null!;
    private ManifestApp _first = null!;
    private ManifestApp _second = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _api = await SharedSandbox.NamespaceAsync();
        _proxy = await ApiProxy.StartAsync(SharedSandbox.Addresses.Kubeconfig);
        _proxy.Between = HoldAsync;
        _first = App(version: 1);
        _second = App(version: 2);
    }

    [TearDown]
    public async Task RemoveAsync()
    {
        _goOn.TrySetResult();
        _first.Dispose();
        _second.Dispose();
        await _proxy.DisposeAsync();
        await SharedSandbox.RemoveAsync(_api);
    }

    [Test]
    public async Task Should_NameHolderOrWait_When_AnotherRunDeploys()
    {
        using var first = _first.Start("--target=Deploy");
        await _inTheMiddle.Task;

        var refused = await _second.RunAsync("--target=Deploy");
        using var waiting = _second.Start("--target=Deploy", "--lock-wait=300");
        await waiting.WhenAsync(new($"waits for the deploy lock of .*process {first.Id} "));
        _goOn.SetResult();
        var ends = await Task.WhenAll(first.EndAsync(), waiting.EndAsync());

        var releases = await new ReleaseStore(_api, ManifestApp.Name).ListAsync(default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(refused.ExitCode, Is.EqualTo(ExitCodes.LockHeld));
            Assert.That(refused.Output, Does.Match($"(?m)^Error: another run deploys: .*process {first.Id} .*holds the deploy lock"));
            Assert.That(ends.Select(end => end.ExitCode), Is.All.Zero);
            Assert.That(releases.Select(release => release.State), Is.EqualTo([ReleaseState.Verified, ReleaseState.Verified]));
        }
    }

    [Test]
    public async Task Should_TakeOver_When_LeaseOfKilledHolderHasRunOut()
    {
        // In a process namespace of its own, as on another machine: that it has ended shows by nothing but its silence.
        using var first = RunningHost.Start(_first.Root, ["--target=Deploy"], "unshare", "--pid", "--fork", "--mount-proc", "--kill-child");
        await _inTheMiddle.Task;
        first.Kill();
        await first.EndAsync();
        var last = Renewed(await LeaseAsync());

        var refused = await _second.RunAsync("--target=Deploy");
        _goOn.SetResult();
        var second = await _second.RunAsync("--target=Deploy", "--lock-wait=300");

        var taken = await LeaseAsync();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(refused.ExitCode, Is.EqualTo(ExitCodes.LockHeld));
            Assert.That(second.ExitCode, Is.Zero);
            Assert.That(second.Output, Does.Contain("took over the deploy lock of"));
            Assert.That(taken.Time("spec", "acquireTime") - last, Is.GreaterThan(LeaseRecord.Duration).And.LessThan(2.5 * LeaseRecord.Duration));
            Assert.That(LeaseRecord.Holder(taken), Is.Null);
        }
    }

    private static DateTimeOffset? Renewed(JsonObject lease) => lease.Time("spec", "renewTime");

    private async Task<JsonObject> LeaseAsync() =>
        (await _api.GetAsync(new(LeaseRecord.Kind, _api.Namespace, $"cake-k3s.{ManifestApp.Name}"), default))!;

    private ManifestApp App(int version)
    {
        var app = new ManifestApp(_proxy.Address, _api.Namespace);
        foreach (var (file, text) in SmallApp.Files(_api.Namespace, version).Where(file => file.Key != SmallApp.Migration))
        {
            app.Write($"manifests/{file}", text);
        }

        return app;
    }

    /// <summary>Holds the first deploy up in the middle of its apply.</summary>
    private async Task HoldAsync(HttpContext context, Func<Task> pass)
    {
        if (context.Request.Method == "PATCH" && Regex.IsMatch(context.Request.Path, "/deployments/web$") && !context.Request.Query.ContainsKey("dryRun"))
        {
            _inTheMiddle.TrySetResult();
            await _goOn.Task;
        }

        await pass();
    }
}
