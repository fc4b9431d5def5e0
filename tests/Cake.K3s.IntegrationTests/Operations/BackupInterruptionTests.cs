using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;
using Cake.K3s.Hardening.Cluster.Backups;
using Cake.K3s.Hosting;
using Cake.K3s.IntegrationTests.Hardening.Cluster;
using Cake.K3s.IntegrationTests.Kubernetes;
using Cake.K3s.IntegrationTests.Kubernetes.Backups;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Operations.Backups;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tests.Edge;
using Cake.K3s.Tests.Fixtures;
using RecordingReporter = Cake.K3s.IntegrationTests.Images.Fixtures.RecordingReporter;

namespace Cake.K3s.IntegrationTests.Operations;

/// <summary>
/// Backup, Restore and RestoreDrill, cut off at every change that they make: killed when the API has carried it out, or answered with 500 from
/// it on. The API is the sandbox's; Jobs and the bucket are stand-ins, as real ones have their test beside the deploys.
/// </summary>
[Parallelizable(ParallelScope.All)]
[FixtureLifeCycle(LifeCycle.InstancePerTestCase)]
internal sealed class BackupInterruptionTests : IAsyncDisposable
{
    private readonly TemporaryDirectory _keys = new();
    private readonly SteppingTime _time = new();
    private readonly List<ClusterApi> _connections = [];
    private ApiHost _host = null!;
    private StandInBucket _bucket = null!;
    private JobStandIn _jobs = null!;
    private BackupSettings _settings = null!;

    [SetUp]
    public async Task StartAsync()
    {
        _host = await ApiHost.StartAsync();
        _bucket = await StandInBucket.StartAsync(IPAddress.Loopback);
        _settings = _bucket.Settings(_keys.Path);
        var api = Open();
        await api.CreateAsync(JsonNode.Parse("""{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}""")!.AsObject(), default);
        _jobs = new(api, _bucket, _time);
        await new BackupsControl(new(Run(), (_, _) => Task.FromResult(api), TimeProvider.System), Backups(api), TimeProvider.System).ApplyAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await (_jobs?.DisposeAsync() ?? default);
        _connections.ForEach(connection => connection.Dispose());
        await (_bucket?.DisposeAsync() ?? default);
        await (_host?.DisposeAsync() ?? default);
        _keys.Dispose();
    }

    [Test]
    public Task Should_have_a_new_backup_When_it_was_cut_off_before() => EachChangeAsync(
        backups => backups.BackUpAsync(),
        () => Assert.That(BackupName.Parse(_bucket.Objects.Keys.Max(StringComparer.Ordinal)!)!.MadeAt, Is.GreaterThan(_time.GetUtcNow().AddMinutes(-1))));

    [Test]
    public async Task Should_fill_the_database_once_When_a_restore_was_cut_off_before()
    {
        await Backups(Open()).BackUpAsync();

        await EachChangeAsync(backups => backups.RestoreAsync(), () =>
        {
            Assert.That(_jobs.Restored, Is.EqualTo(_bucket.Objects.Keys.Single()));
            Assert.That(_jobs.Restores, Is.EqualTo(1));
            (_jobs.Restored, _jobs.Restores) = (null, 0);
        });
    }

    [Test]
    public async Task Should_drill_and_leave_nothing_behind_When_a_drill_was_cut_off_before()
    {
        await Backups(Open()).BackUpAsync();

        await EachChangeAsync(backups => backups.DrillAsync(), () =>
        {
            Assert.That(_jobs.Drilled, Is.Not.Empty);
            _jobs.Drilled.Clear();
        });
    }

    [Test]
    public async Task Should_take_a_key_from_the_cluster_When_the_backup_of_a_killed_drill_is_not_the_newest_any_more()
    {
        await Backups(Open()).BackUpAsync();
        Assert.That(() => Backups(Open(new Faults(4, FaultKind.KilledAfter))).DrillAsync(), Throws.TypeOf<KilledException>());
        Assert.That(await LeftAsync(), Does.Contain("Job/").And.Contain("Secret/"), "killed when its Job waits with all that it reads");
        await Backups(Open()).BackUpAsync();

        await Backups(Open()).DrillAsync();

        await NothingIsLeftAsync("of the other drill");
    }

    [Test]
    public async Task Should_drill_after_the_bucket_has_failed()
    {
        await Backups(Open()).BackUpAsync();
        _bucket.Faults = int.MaxValue;
        Assert.That(() => Backups(Open()).DrillAsync(), Throws.TypeOf<K3sException>().With.Message.Contains("bucket backups"));
        await NothingIsLeftAsync("the bucket failed");
        _bucket.Faults = 0;

        await Backups(Open()).DrillAsync();

        Assert.That(_jobs.Drilled, Has.Count.EqualTo(1));
    }

    /// <summary>After each fault the same again must end well and leave nothing.</summary>
    private async Task EachChangeAsync(Func<DatabaseBackups, Task> work, Action isDone)
    {
        foreach (var kind in (FaultKind[])[FaultKind.KilledAfter, FaultKind.Fails])
        {
            var faults = new Faults(1, kind);
            for (var change = 1; await IsStruckAsync(faults); faults = new(++change, kind))
            {
                await work(Backups(Open()));
                isDone();
                await NothingIsLeftAsync($"{kind} at change {change}");
            }

            isDone();
            await NothingIsLeftAsync("without a fault");
        }

        async Task<bool> IsStruckAsync(Faults faults)
        {
            try
            {
                await work(Backups(Open(faults)));
                Assert.That(faults.Struck, Is.False, "a change that was not made is no success");
            }
            catch (Exception struck) when (struck is KilledException or K3sException && faults.Struck)
            {
                // As meant.
            }

            return faults.Struck;
        }
    }

    // What belongs to a Job goes after it.
    private async Task NothingIsLeftAsync(string after)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        string left;
        while ((left = await LeftAsync()).Length > 0 && !limit.IsCancellationRequested)
        {
            await Task.Delay(20);
        }

        Assert.That(left, Is.Empty, after);
    }

    /// <summary>All but the schedule, with its Jobs, and its journal.</summary>
    private async Task<string> LeftAsync()
    {
        GroupVersionKind[] kinds = [new("batch", "v1", "Job"), new("", "v1", "ConfigMap"), new("", "v1", "Secret"), new("networking.k8s.io", "v1", "NetworkPolicy")];
        var found = await Task.WhenAll(kinds.Select(kind => _connections[0].ListAsync(kind, "shop", null, default)));
        return string.Join(' ', found.SelectMany(list => list.Items)
            .Where(item => !item.ObjectName()!.StartsWith("cake-k3s-journal-", StringComparison.Ordinal))
            .Where(item => item.ObjectName() is not ("shop-backup" or "shop-backup-scripts" or "shop-backup-credentials"))
            .Where(item => item.Objects("metadata", "ownerReferences").All(owner => owner.Text("kind") != "CronJob"))
            .Select(item => $"{item.Text("kind")}/{item.ObjectName()}"));
    }

    private ClusterApi Open(Faults? faults = null)
    {
        _connections.Add(faults is null ? _host.Open() : _host.Open(faults));
        return _connections[^1];
    }

    private DatabaseBackups Backups(ClusterApi api)
    {
        var (reporter, mask) = (new RecordingReporter(), new SecretMask());
        var secrets = new SecretReader(EnvironmentVariables.OfProcess, new CommandRunner(mask, TimeProvider.System), mask);
        var jobs = new JobRun(new RolloutWatcher(_time, reporter), TimeProvider.System);
        return new(Run(), (_, _) => Task.FromResult(api), secrets, jobs, new EvidenceCollector(mask, TimeProvider.System), reporter, _time);
    }

    private PipelineRun Run()
    {
        var run = ControlStage.Run(_connections[0], new(), _keys.Path, environment => environment with
        {
            Settings = environment.Settings with { Backup = _settings },
            Secrets = ImmutableDictionary<string, Secret>.Empty
                .Add("DATABASE_URL", new("postgres://ann:one@db.example.com/shop")).Add("EMPTY_URL", new("postgres://ann:one@db.example.com/empty")),
        });
        return new(run.Options with { Into = "EMPTY_URL" }, run.Settings, run.EnvironmentAsync().GetAwaiter().GetResult());
    }

    /// <summary>A second passes whenever somebody looks: names of Jobs and backups have seconds.</summary>
    private sealed class SteppingTime : TimeProvider
    {
        private readonly DateTimeOffset _begin = DateTimeOffset.UtcNow;
        private int _steps;

        public override DateTimeOffset GetUtcNow() => _begin.AddSeconds(Interlocked.Increment(ref _steps));
    }
}
