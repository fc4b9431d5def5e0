using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Applying;
using Cake.K3s.Kubernetes.Jobs;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Kubernetes.Readiness;
using Cake.K3s.Kubernetes.Releases;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.Tests.Kubernetes.Releases;

/// <summary>One run of the pipeline's last tasks, Migrate to VerifyRollout, with manifests and a cluster of the test's.</summary>
internal sealed class DeployRun : IDisposable
{
    public const string App = "honeydue";

    private readonly ClusterApi _api;
    private readonly DeployEnvironment _environment;
    private readonly RunLock _lock;
    private readonly Migrator _migrator;
    private readonly Deployer _deployer;
    private readonly RolloutVerifier _verifier;
    private readonly Rollback _rollback;
    private readonly DeploySettings _settings;

    public DeployRun(
        ClusterApi api, string directory, IReporter reporter, TimeProvider time, MigrationSettings? migration = null, int? rollbackTo = null, TimeSpan lockWait = default)
    {
        _api = api;
        var environmentSettings = new EnvironmentSettings { Name = "test" };
        _settings = new DeploySettings
        {
            App = App,
            File = Path.Combine(directory, "deploy.yaml"),
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Migration = migration,
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("test", environmentSettings),
        };
        _environment = new DeployEnvironment
        {
            Name = "test",
            Settings = environmentSettings,
            Cluster = new("/kubeconfig", null, api.Namespace),
            Registry = new("registry", "", false, "/"),
            Builder = new(null, null),
            SigningKey = new("/key", "/key.pub", null),
        };
        var run = new PipelineRun(
            new RunOptions { Root = directory, SettingsFile = _settings.File, Environment = "test", ToRelease = rollbackTo, LockWait = lockWait },
            _settings,
            _environment);
        var mask = new SecretMask();
        var watcher = new RolloutWatcher(time, reporter);
        var evidence = new EvidenceCollector(mask, time);
        var applier = new Applier(reporter, time);
        var releases = new ReleaseApplier(applier);
        _lock = new RunLock(run, reporter, time);
        _migrator = new(run, null!, null!, null!, _lock, new JobRun(watcher, time), evidence, reporter, time);
        _deployer = new(run, null!, null!, null!, new Planner(run, null!, null!, null!, reporter, mask, time, null!), applier, _lock, reporter, time);
        _verifier = new(run, null!, _lock, watcher, evidence, releases, applier, new ReleaseSummary(run, new EnvironmentVariables(_ => null), new NoTools(), reporter), reporter, new TaskDurations(time), time);
        _rollback = new(run, null!, _lock, releases, _verifier, reporter, time);
    }

    public ReleaseStore Store => new(_api, App);

    /// <summary>Migrate, Deploy, VerifyRollout.</summary>
    public async Task DeployAsync(IEnumerable<JsonObject> objects, JsonObject? migration = null)
    {
        var source = new SourceMap("test.yaml");
        var manifests = new ManifestSet(
            [.. objects.Select(node => new Manifest(node.DeepClone().AsObject(), source))],
            migration is null ? null : new Manifest(migration.DeepClone().AsObject(), source));
        var desired = new Desired(_environment, _api, ImmutableDictionary<string, string>.Empty, manifests);
        await desired.EnsureNamespaceAsync(default);
        if (MigrationJob.Of(manifests, App, _api.Namespace) is { } job)
        {
            await _lock.HoldAsync(_api, cancellation => _migrator.MigrateAsync(_api, job, _settings.Migration!.Timeout.Value, cancellation));
        }

        await _lock.HoldAsync(_api, cancellation => _deployer.DeployAsync(desired, cancellation));
        await _lock.HoldAsync(_api, cancellation => _verifier.VerifyAsync(_environment, _api, cancellation));
        await _lock.GiveBackAsync();
    }

    /// <summary>Rollback.</summary>
    public async Task RollBackAsync()
    {
        await _lock.HoldAsync(_api, cancellation => _rollback.RollBackAsync(_api, cancellation));
        await _lock.GiveBackAsync();
    }

    public void Dispose() => _lock.Dispose();

    private sealed class NoTools : IToolbox
    {
        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) =>
            throw new K3sException(ExitCodes.RequirementMissing, "no tools here");
    }
}
