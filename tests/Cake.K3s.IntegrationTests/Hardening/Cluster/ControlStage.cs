using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hardening.Cluster;
using Cake.K3s.Hosting;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Processes;
using Cake.K3s.Settings;
using Cake.K3s.Tools;

namespace Cake.K3s.IntegrationTests.Hardening.Cluster;

/// <summary>What a cluster control needs of a run, for a cluster and settings of the test's.</summary>
internal static class ControlStage
{
    public const string App = "shop";

    /// <summary>The cluster of a run.</summary>
    /// <param name="api">Its API.</param>
    /// <param name="hardening">What deploy.yaml says about hardening.</param>
    /// <param name="directory">The directory of deploy.yaml.</param>
    /// <param name="change">Changes the environment.</param>
    /// <param name="settings">Changes deploy.yaml.</param>
    public static ControlCluster Cluster(
        ClusterApi api,
        HardeningSettings hardening,
        string directory = "/",
        Func<DeployEnvironment, DeployEnvironment>? change = null,
        Func<DeploySettings, DeploySettings>? settings = null) => new(Run(api, hardening, directory, change, settings), (_, _) => Task.FromResult(api), TimeProvider.System);

    /// <summary>The run.</summary>
    /// <param name="api">The cluster's API.</param>
    /// <param name="hardening">What deploy.yaml says about hardening.</param>
    /// <param name="directory">The directory of deploy.yaml.</param>
    /// <param name="change">Changes the environment.</param>
    /// <param name="settings">Changes deploy.yaml.</param>
    public static PipelineRun Run(
        ClusterApi api,
        HardeningSettings hardening,
        string directory = "/",
        Func<DeployEnvironment, DeployEnvironment>? change = null,
        Func<DeploySettings, DeploySettings>? settings = null)
    {
        var environmentSettings = new EnvironmentSettings { Name = "test", Namespace = api.Namespace, Hardening = hardening };
        var environment = new DeployEnvironment
        {
            Name = "test",
            Settings = environmentSettings,
            Cluster = new("/kubeconfig", null, api.Namespace),
            Registry = new("registry", "", false, "/"),
            Builder = new(null, null),
            SigningKey = new("/key", "/key.pub", null),
        };
        environment = change?.Invoke(environment) ?? environment;
        var deploy = new DeploySettings
        {
            App = App,
            File = Path.Combine(directory, "deploy.yaml"),
            Images = ImmutableDictionary<string, ImageSettings>.Empty,
            Environments = ImmutableDictionary<string, EnvironmentSettings>.Empty.Add("test", environment.Settings),
        };
        deploy = settings?.Invoke(deploy) ?? deploy;
        return new(new RunOptions { Root = directory, SettingsFile = deploy.File, Environment = "test" }, deploy, environment);
    }

    /// <summary>Reads manifests; there is no kustomization among them.</summary>
    public static ManifestLoader Loader { get; } = new(new CommandRunner(new SecretMask(), TimeProvider.System), new NoTools());

    private sealed class NoTools : IToolbox
    {
        public Task<Tool> RequireAsync(ToolName tool, string neededBy, CancellationToken cancellationToken) => throw new NotSupportedException(tool.ToString());
    }
}
