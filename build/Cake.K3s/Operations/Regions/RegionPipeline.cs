using Cake.Core;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images;
using Cake.K3s.Images.Registry;
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

namespace Cake.K3s.Operations.Regions;

/// <summary>Migrate, Deploy and VerifyRollout of another environment than the run's own, with a deploy lock of its own.</summary>
internal sealed class RegionPipeline(
    PipelineRun run, SettingsReader reader, IEnumerable<IEnvironmentOpener> openers, ClusterConnector connector, ManifestLoader loader, RegistryClients registries,
    IConsole console, IReporter reporter, ISecretMask mask, EnvironmentVariables variables, IToolbox tools, TaskDurations durations, TimeProvider time) : IRegionDeployer
{
    private readonly Dictionary<string, PipelineRun> _runs = [];

    /// <inheritdoc/>
    public async Task<Release?> NewestAsync(string environment, CancellationToken cancellationToken)
    {
        var region = await RunOf(environment).EnvironmentAsync();
        var api = await connector.OpenAsync(region.Cluster, cancellationToken);
        var releases = await new ReleaseStore(api, run.Settings.App).ListAsync(cancellationToken);
        return releases.FirstOrDefault(release => release.State is not (ReleaseState.RolledBack or ReleaseState.Superseded));
    }

    /// <inheritdoc/>
    public async Task DeployAsync(string environment, Release like, CancellationToken cancellationToken)
    {
        var region = RunOf(environment);
        using var cancelled = cancellationToken.Register(region.Cancel);
        var opened = await region.EnvironmentAsync();
        var images = ReleaseImages.Read(region.Options.ArtifactsDirectory, region.Settings, opened);
        if (!RegionRollout.SameImages(images, like.Images))
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"the images that were pushed last are not those of {like}",
                $"Deploy them to {run.EnvironmentSettings.Name} first: --target=Deploy --environment={run.EnvironmentSettings.Name}.");
        }

        var gate = new ImageGate(region, registries, reporter);
        var watcher = new RolloutWatcher(time, reporter);
        var evidence = new EvidenceCollector(mask, time);
        var applier = new Applier(reporter, time);
        var planner = new Planner(region, loader, connector, console, reporter, mask, time, new ImageRevisions(region, registries, reporter));
        using var held = new RunLock(region, reporter, time);
        await new Migrator(region, connector, loader, gate, held, new JobRun(watcher, time), evidence, reporter, time).MigrateAsync();
        await new Deployer(region, connector, loader, gate, planner, applier, held, reporter, time).DeployAsync();
        await new RolloutVerifier(
            region, connector, held, watcher, evidence, new ReleaseApplier(applier), applier, new ReleaseSummary(region, variables, tools, reporter), reporter, durations, time).VerifyAsync();
    }

    private PipelineRun RunOf(string environment)
    {
        if (environment == run.EnvironmentSettings.Name)
        {
            return run;
        }

        if (!_runs.TryGetValue(environment, out var region))
        {
            // --registry is about the environment that the command line names.
            _runs[environment] = region = new PipelineRun(run.Options with { Environment = environment, Registry = null }, reader, openers);
        }

        return region;
    }
}
