using System.Runtime.Versioning;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tests.Kubernetes.Releases;
using Microsoft.AspNetCore.Http;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>kill -9 of the compiled host at named points between lock and verdict; the same command again converges.</summary>
[TestFixture]
[SupportedOSPlatform("linux")]
[Parallelizable(ParallelScope.Children)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class KilledDeployTests
{
    // What a point is: a request of the deploy, and whether the API gets it. In the order of a deploy.
    private static readonly Point[] Points =
    [
        new("the lock is taken", "PUT leases/cake-k3s."),
        new("the migration's Job is made", "POST jobs"),
        new("the migration's settings are copied", "PATCH configmaps/settings-"),
        new("the migration runs", "PATCH jobs/migrate-"),
        new("the migration is done", "PATCH jobs/migrate-", Passes: false, Number: 2),
        new("the apply is rehearsed", "PATCH ingresses/web?dryRun"),
        new("the release's manifests are written", "POST secrets"),
        new("the release is recorded", "POST secrets", Number: 2),
        new("the apply set is widened", "PATCH configmaps/cake-k3s-"),
        new("the wave of configuration has begun", "PATCH configmaps/new"),
        new("the wave of services is to begin", "PATCH services/web", Passes: false),
        new("the wave of workloads is to begin", "PATCH deployments/web", Passes: false),
        new("the wave of ingresses is to begin", "PATCH ingresses/web", Passes: false),
        new("the release is noted as applied", "PUT secrets/"),
        new("the rollout is watched", "GET deployments?watch"),
        new("the verdict is known", "PUT secrets/", Passes: false, Number: 2),
        new("the verdict is recorded", "PUT secrets/", Number: 2),
        new("what is left over is deleted", "DELETE serviceaccounts/old"),
        new("the lock is to be given back", "PUT leases/cake-k3s.", Passes: false, Body: "\"holderIdentity\":\"\""),
    ];

    private static readonly Point[] FirstPoints =
    [
        new("the namespace is made", "PATCH namespaces/"),
        new("the lock's Lease is made", "POST leases"),
    ];

    private ApiProxy _proxy = null!;
    private ClusterApi _api = null!;
    private ManifestApp _app = null!;

    [TearDown]
    public async Task RemoveAsync()
    {
        _app?.Dispose();
        await _proxy.DisposeAsync();
        await SharedSandbox.RemoveAsync(_api);
    }

    [TestCaseSource(nameof(Points))]
    public async Task Should_Converge_When_KilledWhen(Point point)
    {
        _api = await SharedSandbox.NamespaceAsync();
        await DeployFirstVersionAsync();

        await KillAndRepeatAsync(point, version: 2);

        var releases = await new ReleaseStore(_api, ManifestApp.Name).ListAsync(default);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(releases.Select(release => (release.Number, release.State)), Is.EqualTo([(2, ReleaseState.Verified), (1, ReleaseState.Verified)]));
            Assert.That(releases[0].SchemaVersion, Is.EqualTo("2"));
        }
    }

    [TestCaseSource(nameof(FirstPoints))]
    public async Task Should_ConvergeInNewNamespace_When_KilledWhen(Point point)
    {
        _api = await SharedSandbox.OpenNewNamespaceAsync();

        await KillAndRepeatAsync(point, version: 1);

        var releases = await new ReleaseStore(_api, ManifestApp.Name).ListAsync(default);
        Assert.That(releases.Select(release => (release.Number, release.State)), Is.EqualTo([(1, ReleaseState.Verified)]));
    }

    private async Task DeployFirstVersionAsync()
    {
        using var directory = new TemporaryDirectory();
        using var run = new DeployRun(_api, directory.Path, new RecordingReporter(), TimeProvider.System, new MigrationSettings { Job = SmallApp.Migration });
        var (objects, migration) = SmallApp.Nodes(_api.Namespace, 1);
        await run.DeployAsync(objects, migration);
    }

    private async Task KillAndRepeatAsync(Point point, int version)
    {
        _proxy = await ApiProxy.StartAsync(SharedSandbox.Addresses.Kubeconfig);
        _app = new(_proxy.Address, _api.Namespace, $"migration: {{job: {SmallApp.Migration}}}");
        var files = SmallApp.Files(_api.Namespace, version);
        foreach (var (file, text) in files)
        {
            _app.Write($"manifests/{file}", text);
        }

        using (var host = _app.Start("--target=Deploy"))
        {
            var trap = new Trap(point);
            _proxy.Between = trap.HandleAsync;
            Assert.That(await Task.WhenAny(trap.Sprung, host.EndAsync()), Is.SameAs(trap.Sprung), "the host came to its end");
            host.Kill();
            await host.EndAsync();
        }

        _proxy.Between = (_, pass) => pass();
        var again = await _app.RunAsync("--target=Deploy");

        using (Assert.EnterMultipleScope())
        {
            Assert.That(again.ExitCode, Is.Zero);
            Assert.That(await DeployLock.DescribeAsync(_api, ManifestApp.Name, default), Is.Null, "the lock is held");
            Assert.That(await LeftoversAsync(files.Values.Select(text => YamlReader.Read(text, new("x")).Single())), Is.Empty);
        }
    }

    /// <summary>Objects that no manifest names, nobody owns, and neither the cluster nor this library keeps for itself.</summary>
    private async Task<IEnumerable<string>> LeftoversAsync(IEnumerable<JsonNode> manifests)
    {
        var wanted = manifests.Select(node => $"{node.Text("kind")}/{node.ObjectName()}").ToHashSet();
        var types = (await _api.ResourcesAsync(default)).Where(resource => resource.Namespaced && resource.Verbs.Contains("list"));
        var lists = await Task.WhenAll(types.Select(resource => _api.ListAsync(resource.Type, _api.Namespace, null, default)));
        var all = lists.SelectMany(list => list.Items).ToList();
        var uids = all.Select(item => item.Uid()).ToHashSet();
        var releases = all.Count(item => item.Text("type") == ReleaseStore.SecretType);
        return all
            .Where(item => !item.Objects("metadata", "ownerReferences").Any(owner => uids.Contains(owner.Text("uid"))))
            .Select(item => $"{item.Text("kind")}/{item.ObjectName()}")
            .Where(name => !wanted.Contains(name) && !Kept().IsMatch(name))
            .Concat(releases > 4 ? [$"{releases} Secrets of releases"] : []);
    }

    private static Regex Kept() => new(
        $"^(ConfigMap/(kube-root-ca.crt|cake-k3s-{ManifestApp.Name})|ServiceAccount/default|Lease/cake-k3s.{ManifestApp.Name}|Secret/cake-k3s.{ManifestApp.Name}.*|Job/migrate-.*|(Event|Endpoints)/.*)$");

    /// <summary>A point of a deploy.</summary>
    /// <param name="Name">What has just happened, or is about to.</param>
    /// <param name="Request">Method, resource, and how the name begins; <c>?</c> and a parameter that it has.</param>
    /// <param name="Passes">Whether the API carries the request out before the host is killed.</param>
    /// <param name="Number">Which of such requests it is.</param>
    /// <param name="Body">What its body contains.</param>
    internal sealed record Point(string Name, string Request, bool Passes = true, int Number = 1, string Body = "")
    {
        public async Task<bool> IsAsync(HttpRequest request)
        {
            var parts = Request.Split(' ', '?');
            var parameter = parts.ElementAtOrDefault(2);
            return request.Method == parts[0]
                && Regex.IsMatch(request.Path, $"/{Regex.Escape(parts[1])}[^/]*$")
                && (parameter is null ? !request.Query.ContainsKey("dryRun") : request.Query.ContainsKey(parameter))
                && (Body.Length == 0 || (await ReadAsync(request)).Contains(Body, StringComparison.Ordinal));
        }

        private static async Task<string> ReadAsync(HttpRequest request)
        {
            using var reader = new StreamReader(request.Body, leaveOpen: true);
            var text = await reader.ReadToEndAsync();
            request.Body.Position = 0;
            return text;
        }

        public override string ToString() => Name;
    }

    /// <summary>Lets everything pass up to a point, then nothing.</summary>
    private sealed class Trap(Point point)
    {
        private readonly TaskCompletionSource _sprung = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _count;

        public Task Sprung => _sprung.Task;

        public async Task HandleAsync(HttpContext context, Func<Task> pass)
        {
            if (!_sprung.Task.IsCompleted && await point.IsAsync(context.Request) && Interlocked.Increment(ref _count) == point.Number)
            {
                if (point.Passes)
                {
                    context.Response.Body = Stream.Null;
                    await pass();
                }

                _sprung.TrySetResult();
            }

            if (_sprung.Task.IsCompleted)
            {
                // Until the host is killed.
                await Task.Delay(Timeout.Infinite, context.RequestAborted).ContinueWith(_ => { }, TaskScheduler.Default);
                context.Abort();
                return;
            }

            await pass();
        }
    }
}
