using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Fixtures;
using Microsoft.Extensions.Time.Testing;

namespace Cake.K3s.Tests.Kubernetes.Releases;

/// <summary>Releases from the lock to the verdict, on an API in memory whose controllers the tests play.</summary>
public sealed class DeployRunTests
{
    private FakeTimeProvider _time = null!;
    private InMemoryApi _server = null!;
    private TemporaryDirectory _directory = null!;
    private string _broken = "";
    private int _migrations;
    private RecordingReporter _reporter = new();

    [SetUp]
    public void Start()
    {
        _time = new(A.Time);
        _directory = new();
        _broken = "";
        _migrations = 0;
        _server = new() { Written = PlayControllers };
    }

    [TearDown]
    public void Stop() => _directory.Dispose();

    [Test]
    public async Task Should_RecordVerifiedRelease_When_EverythingRollsOut()
    {
        await DeployAsync([A.Map("settings", "1"), Deployment("v1")], Migration("v1"));

        var release = (await ReleasesAsync()).Single();
        Assert.Multiple(() =>
        {
            Assert.That(release.State, Is.EqualTo(ReleaseState.Verified));
            Assert.That(release.SchemaVersion, Is.EqualTo("v1"));
            Assert.That(_server.Find("deployments", "api").Text("spec", "template", "spec", "containers"), Is.Null);
            Assert.That(LockHolder(), Is.Empty);
        });
    }

    [Test]
    public async Task Should_DoNothing_When_NothingChanged()
    {
        await DeployAsync([Deployment("v1")], Migration("v1"));
        _server.Writes.Clear();

        await DeployAsync([Deployment("v1")], Migration("v1"));

        Assert.That(_server.Writes.Where(write => !write.Contains("leases")), Is.Empty);
        Assert.That(_migrations, Is.EqualTo(1));
    }

    [Test]
    public async Task Should_PutLastGoodReleaseBack_When_RolloutFails()
    {
        await DeployAsync([A.Map("settings", "1"), Deployment("v1")]);
        _broken = "v2";

        var failure = Assert.ThrowsAsync<K3sException>(() => DeployAsync([A.Map("settings", "2"), A.Map("extra", "2"), Deployment("v2")]))!;

        var releases = await ReleasesAsync();
        Assert.Multiple(() =>
        {
            Assert.That(failure.ExitCode, Is.EqualTo(ExitCodes.Failed));
            Assert.That(failure.Message, Does.Contain("release 2 failed: Deployment/api").And.Contain("release 1 was put back and serves"));
            Assert.That(releases.Select(release => release.State), Is.EqualTo([ReleaseState.RolledBack, ReleaseState.Verified]));
            Assert.That(Version(), Is.EqualTo("v1"));
            Assert.That(_server.Find("configmaps", "settings").Text("data", "value"), Is.EqualTo("1"));
            Assert.That(_server.Find("configmaps", "extra"), Is.Null);
        });
    }

    [Test]
    public async Task Should_TellWhatChangedAndTheVerdict_When_ItSucceeds()
    {
        await DeployAsync([A.Map("settings", "1"), A.Map("old", "1"), Deployment("v1")]);
        _reporter = new();

        await DeployAsync([A.Map("settings", "2"), Deployment("v2")]);

        var changes = _reporter.Events.OfType<ObjectChanged>().ToDictionary(change => $"{change.Kind}/{change.Name}");
        Assert.Multiple(() =>
        {
            Assert.That(changes["ConfigMap/settings"].Change, Is.EqualTo(ObjectChange.Updated));
            Assert.That(changes["ConfigMap/settings"].Fields, Does.Contain("data.value: 1 → 2"));
            Assert.That(changes["ConfigMap/old"].Change, Is.EqualTo(ObjectChange.Deleted));
            Assert.That(
                _reporter.Events.OfType<ReleaseChanged>().Select(release => (release.Number, release.State)),
                Is.EqualTo([(2, "Pending"), (2, "Applied"), (2, "Verified")]));
            Assert.That(_reporter.Events.OfType<VerdictReached>().Single().Failures, Is.Empty);
            Assert.That(_reporter.Events.OfType<EarlierReleases>().Single().Releases.Select(release => release.Number), Is.EqualTo([1]));
        });
    }

    [Test]
    public async Task Should_TellWhatFailedBeforeTheRollback_When_ItFails()
    {
        await DeployAsync([Deployment("v1")]);
        _broken = "v2";
        _reporter = new();

        Assert.That(() => DeployAsync([Deployment("v2")]), Throws.TypeOf<K3sException>());

        var verdict = _reporter.Events.OfType<VerdictReached>().Single();
        Assert.Multiple(() =>
        {
            Assert.That(verdict.Summary, Does.StartWith("release 2 failed: Deployment/api"));
            Assert.That(verdict.Failures.Single().Workload, Is.EqualTo("Deployment/api"));
            Assert.That(Directory.Exists(verdict.EvidenceDirectory));
            Assert.That(
                _reporter.Events.OfType<ReleaseChanged>().Select(release => release.State), Is.EqualTo(["Pending", "Applied", "Failed", "RolledBack"]));
        });
    }

    [Test]
    public async Task Should_LeaveFailedReleaseInPlace_When_ThereIsNoEarlierOne()
    {
        _broken = "v1";

        var failure = Assert.ThrowsAsync<K3sException>(() => DeployAsync([Deployment("v1")]))!;

        Assert.That(failure.Message, Does.Contain("no earlier release"));
        Assert.That((await ReleasesAsync()).Single().State, Is.EqualTo(ReleaseState.Failed));
    }

    [Test]
    public async Task Should_RefuseToRollBack_When_SchemaWouldNotFit()
    {
        await DeployAsync([Deployment("v1")], Migration("v1"));
        _broken = "v2";

        var failure = Assert.ThrowsAsync<K3sException>(
            () => DeployAsync([Deployment("v2")], Migration("v2"), new MigrationSettings { Job = "migrate.yaml", Change = SchemaChange.Contract }))!;

        Assert.That(failure.Message, Does.Contain("no rollback to release 1").And.Contain("from v1 to v2"));
        Assert.That(Version(), Is.EqualTo("v2"));
    }

    [Test]
    public async Task Should_ApplyNothing_When_MigrationFails()
    {
        await DeployAsync([Deployment("v1")], Migration("v1"));
        _broken = "migrate-v2";

        var failure = Assert.ThrowsAsync<K3sException>(() => DeployAsync([Deployment("v2")], Migration("v2")))!;

        Assert.That(failure.Message, Does.Contain("the migration failed"));
        Assert.That(Version(), Is.EqualTo("v1"));
        Assert.That(await ReleasesAsync(), Has.Count.EqualTo(1));
    }

    [Test]
    public async Task Should_MigrateAgain_When_ItFailedBefore()
    {
        _broken = "migrate-v1";
        Assert.That(() => DeployAsync([Deployment("v1")], Migration("v1")), Throws.TypeOf<K3sException>());
        _broken = "";

        await DeployAsync([Deployment("v1")], Migration("v1"));

        Assert.That((await ReleasesAsync()).Single().SchemaVersion, Is.EqualTo("v1"));
    }

    [Test]
    public async Task Should_DeleteWhatIsNoLongerWanted_When_ReleaseIsVerified()
    {
        await DeployAsync([A.Map("old", "1"), Deployment("v1")]);

        await DeployAsync([Deployment("v2")]);

        Assert.That(_server.Find("configmaps", "old"), Is.Null);
    }

    [Test]
    public async Task Should_RecordNewRelease_When_RollingBackByHand()
    {
        await DeployAsync([Deployment("v1")]);
        await DeployAsync([Deployment("v2")]);

        using (var run = Run(_server.Open(_time), rollbackTo: 1))
        {
            await run.RollBackAsync();
        }

        var releases = await ReleasesAsync();
        Assert.That(Version(), Is.EqualTo("v1"));
        Assert.That(releases[0].Number, Is.EqualTo(3));
        Assert.That(releases[0].RollbackTo, Is.EqualTo(1));
        Assert.That(releases[0].State, Is.EqualTo(ReleaseState.Verified));
    }

    [Test]
    public async Task Should_RefuseRollback_When_ReleaseIsUnknown()
    {
        await DeployAsync([Deployment("v1")]);

        using var run = Run(_server.Open(_time), rollbackTo: 7);
        Assert.That(run.RollBackAsync, Throws.TypeOf<K3sException>().With.Message.Contains("choose one of 1"));
    }

    /// <summary>Kills the run at each of its writes in turn, then runs it again.</summary>
    [Test]
    public async Task Should_ConvergeOnOneRelease_When_KilledAtAnyWrite()
    {
        var points = new List<string>();
        for (var kill = 1; ; kill++)
        {
            Start();
            await DeployAsync([A.Map("old", "1"), Deployment("v1")], Migration("v1"));
            var before = _server.Writes.Count;
            try
            {
                await DeployAsync(Second(), Migration("v2"), killAtWrite: kill);
                break;
            }
            catch (ProcessKilledException)
            {
                points.Add(_server.Writes.Count > before ? _server.Writes[^1] : "first");
            }

            // The lease of the killed run has to run out.
            _time.Advance(TimeSpan.FromMinutes(5));
            await DeployAsync(Second(), Migration("v2"));

            var releases = await ReleasesAsync();
            var where = $"killed at write {kill}, after {points[^1]}";
            Assert.Multiple(() =>
            {
                Assert.That(releases.Select(release => (release.Number, release.State)), Is.EqualTo([(2, ReleaseState.Verified), (1, ReleaseState.Verified)]), where);
                Assert.That(releases[0].SchemaVersion, Is.EqualTo("v2"), where);
                Assert.That(Version(), Is.EqualTo("v2"), where);
                Assert.That(LockHolder(), Is.Empty, where);
                Assert.That(_server.All("configmaps").Select(node => node.ObjectName()), Is.EquivalentTo(["cake-k3s-honeydue", "new", .. Copies()]), where);
                Assert.That(_server.All("secrets").Count(secret => secret.Label("cake.k3s/app") is not null), Is.EqualTo(4), where);
                Assert.That(_server.All("jobs"), Has.Count.EqualTo(2), where);
                Assert.That(_migrations, Is.EqualTo(2), where);
            });
            Stop();
        }

        TestContext.Out.WriteLine(string.Join('\n', points));
        Assert.That(points, Has.Count.GreaterThanOrEqualTo(12));

        JsonObject[] Second() => [A.Map("new", "2"), Deployment("v2")];
    }

    /// <summary>Kills a deploy that fails, and its rollback, at each of its writes in turn, then runs it again.</summary>
    [Test]
    public async Task Should_PutLastGoodReleaseBack_When_FailedDeployWasKilledAtAnyWrite()
    {
        var kill = 0;
        while (true)
        {
            Start();
            await DeployAsync([A.Map("settings", "1"), Deployment("v1")]);
            _broken = "v2";
            try
            {
                await DeployAsync(Second(), killAtWrite: kill + 1);
            }
            catch (ProcessKilledException)
            {
                kill++;
            }
            catch (K3sException)
            {
                // It came to its end.
                break;
            }

            _time.Advance(TimeSpan.FromMinutes(5));
            var failure = Assert.ThrowsAsync<K3sException>(() => DeployAsync(Second()))!;

            var releases = await ReleasesAsync();
            Assert.Multiple(() =>
            {
                Assert.That(failure.Message, Does.Contain("release 1 was put back and serves"), $"killed at write {kill}");
                Assert.That(releases[0].State, Is.EqualTo(ReleaseState.RolledBack), $"killed at write {kill}");
                Assert.That(releases.Select(release => release.State), Has.None.EqualTo(ReleaseState.Pending).And.None.EqualTo(ReleaseState.Applied), $"killed at write {kill}");
                Assert.That(Version(), Is.EqualTo("v1"), $"killed at write {kill}");
                Assert.That(_server.Find("configmaps", "settings").Text("data", "value"), Is.EqualTo("1"), $"killed at write {kill}");
                Assert.That(_server.Find("configmaps", "extra"), Is.Null, $"killed at write {kill}");
                Assert.That(LockHolder(), Is.Empty, $"killed at write {kill}");
            });
            Stop();
        }

        Assert.That(kill, Is.GreaterThanOrEqualTo(12));

        JsonObject[] Second() => [A.Map("settings", "2"), A.Map("extra", "2"), Deployment("v2")];
    }

    [Test]
    public async Task Should_LetSecondRunWait_When_TwoDeployAtOnce()
    {
        var inTheMiddle = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        _server.Written = node =>
        {
            if (node.Text("kind") == "Deployment" && !inTheMiddle.Task.IsCompleted)
            {
                inTheMiddle.SetResult();
                goOn.Task.Wait();
            }

            PlayControllers(node);
        };
        var first = Task.Run(() => DeployAsync([Deployment("v1")]));
        await inTheMiddle.Task;

        Assert.That(Assert.ThrowsAsync<K3sException>(() => DeployAsync([Deployment("v2")]))!.ExitCode, Is.EqualTo(ExitCodes.LockHeld));
        var second = DeployAsync([Deployment("v2")], lockWait: TimeSpan.FromMinutes(5));
        await _server.WatchedAsync();
        goOn.SetResult();
        await Task.WhenAll(first, second);

        Assert.That(Version(), Is.EqualTo("v2"));
        Assert.That((await ReleasesAsync()).Select(release => release.State), Is.All.EqualTo(ReleaseState.Verified));
    }

    private async Task DeployAsync(
        IEnumerable<JsonObject> objects, JsonObject? migration = null, MigrationSettings? settings = null, int? killAtWrite = null, TimeSpan lockWait = default)
    {
        var run = Run(_server.Open(_time, killAtWrite), settings ?? (migration is null ? null : new MigrationSettings { Job = "migrate.yaml" }), lockWait: lockWait);
        try
        {
            await run.DeployAsync(objects, migration);
        }
        finally
        {
            // A process that was killed disposes of nothing.
            if (killAtWrite is null)
            {
                run.Dispose();
            }
        }
    }

    private DeployRun Run(ClusterApi api, MigrationSettings? migration = null, int? rollbackTo = null, TimeSpan lockWait = default) =>
        new(api, _directory.Path, _reporter, _time, migration, rollbackTo, lockWait);

    private async Task<IReadOnlyList<Release>> ReleasesAsync() => await new ReleaseStore(_server.Open(), DeployRun.App).ListAsync(default);

    private string? Version() => _server.Find("deployments", "api").Text("metadata", "labels", "version");

    private string LockHolder() => _server.Find("leases", "cake-k3s.honeydue").Text("spec", "holderIdentity")!;

    private IEnumerable<string> Copies() =>
        _server.All("configmaps").Select(node => node.ObjectName()!).Where(name => name.StartsWith("new-", StringComparison.Ordinal) || name.StartsWith("old-", StringComparison.Ordinal));

    /// <summary>Rolls Deployments out and runs Jobs, at once; what is broken fails.</summary>
    private void PlayControllers(JsonObject node)
    {
        switch (node.Text("kind"))
        {
            case "Deployment" when node["status"] is null || node.Text("status", "version") != node.Label("version"):
                _server.Change("deployments", node.ObjectName()!, live =>
                {
                    var isBroken = live.Label("version") == _broken;
                    live["status"] = new JsonObject
                    {
                        ["observedGeneration"] = 1,
                        ["version"] = live.Label("version"),
                        ["replicas"] = 1,
                        ["updatedReplicas"] = 1,
                        ["availableReplicas"] = isBroken ? 0 : 1,
                        ["conditions"] = isBroken
                            ? new JsonArray(new JsonObject { ["type"] = "Progressing", ["status"] = "False", ["reason"] = "ProgressDeadlineExceeded", ["message"] = "timed out" })
                            : new JsonArray(),
                    };
                });
                break;
            case "Job" when node.Flag("spec", "suspend") == false && node["status"] is null:
                var version = node.Text("metadata", "annotations", "test-version");
                _migrations++;
                _server.Change("jobs", node.ObjectName()!, live => live["status"] = new JsonObject
                {
                    ["conditions"] = new JsonArray(new JsonObject
                    {
                        ["type"] = _broken == $"migrate-{version}" ? "Failed" : "Complete",
                        ["status"] = "True",
                        ["reason"] = "BackoffLimitExceeded",
                    }),
                });
                break;
        }
    }

    private static JsonObject Deployment(string version) => new()
    {
        ["apiVersion"] = "apps/v1",
        ["kind"] = "Deployment",
        ["metadata"] = new JsonObject { ["name"] = "api", ["labels"] = new JsonObject { ["version"] = version } },
        ["spec"] = new JsonObject { ["replicas"] = 1 },
    };

    private static JsonObject Migration(string version) => JsonNode.Parse($$$"""
        {"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"migrate","annotations":{"test-version":"{{{version}}}","cake.k3s/schema-version":"{{{version}}}"}},
         "spec":{"template":{"spec":{"containers":[{"name":"migrate","image":"api","envFrom":[{"configMapRef":{"name":"new"} },{"configMapRef":{"name":"old"} } ] }] } } } }
        """)!.AsObject();
}
