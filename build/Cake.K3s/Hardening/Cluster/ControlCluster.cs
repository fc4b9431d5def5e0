using Cake.K3s.Environments;
using Cake.K3s.Hardening.Cluster.Objects;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster;

/// <summary>The cluster that this run hardens, opened when a control first needs it.</summary>
internal sealed class ControlCluster(PipelineRun run, Func<ClusterConnection, CancellationToken, Task<ClusterApi>> open, TimeProvider time)
{
    /// <summary>deploy.yaml.</summary>
    public DeploySettings Settings => run.Settings;

    /// <summary>The chosen environment's part of deploy.yaml.</summary>
    public EnvironmentSettings EnvironmentSettings => run.EnvironmentSettings;

    /// <summary>What the environment's part of deploy.yaml says about hardening.</summary>
    public HardeningSettings Hardening => run.EnvironmentSettings.Hardening;

    /// <summary>The environment.</summary>
    public Task<DeployEnvironment> EnvironmentAsync() => run.EnvironmentAsync();

    /// <summary>Its API.</summary>
    public async Task<ClusterApi> OpenAsync(CancellationToken cancellationToken) =>
        await open((await run.EnvironmentAsync()).Cluster, cancellationToken);

    /// <summary>The objects that a control keeps in the cluster.</summary>
    public async Task<ControlledObjects> ObjectsAsync(string control, CancellationToken cancellationToken) =>
        new(await OpenAsync(cancellationToken), run.Settings.App, control, time);
}
