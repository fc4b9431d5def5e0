using Cake.K3s.Environments;
using Cake.K3s.Settings;

namespace Cake.K3s.Hosting;

/// <summary>One run: the settings and the environment, each read or opened once, on first use.</summary>
public sealed class PipelineRun
{
    private readonly Lazy<DeploySettings> _settings;
    private readonly Lazy<Task<DeployEnvironment>> _environment;
    private readonly CancellationTokenSource _cancellation = new();

    /// <summary>Makes a run; reads and opens nothing.</summary>
    public PipelineRun(RunOptions options, SettingsReader reader, IEnumerable<IEnvironmentOpener> openers)
    {
        Options = options;
        _settings = new(() => reader.Read(options.SettingsFile));
        _environment = new(() => OpenAsync(openers));
    }

    /// <summary>Makes a run whose settings and environment are known already.</summary>
    internal PipelineRun(RunOptions options, DeploySettings settings, DeployEnvironment environment)
    {
        Options = options;
        _settings = new(() => settings);
        _environment = new(() => Task.FromResult(environment));
    }

    /// <summary>What the command line says.</summary>
    public RunOptions Options { get; }

    /// <summary>deploy.yaml.</summary>
    /// <exception cref="SettingsException">It is wrong (exit code 2).</exception>
    public DeploySettings Settings => _settings.Value;

    /// <summary>The chosen environment's part of deploy.yaml.</summary>
    /// <exception cref="SettingsException">There is no such environment (exit code 2).</exception>
    public EnvironmentSettings EnvironmentSettings => Settings.EnvironmentNamed(Options.Environment);

    /// <summary>deploy.yaml if it was read; null otherwise.</summary>
    internal DeploySettings? KnownSettings => _settings is { IsValueCreated: true } ? _settings.Value : null;

    /// <summary>The name of the chosen environment, as far as it is known without reading deploy.yaml.</summary>
    internal string? KnownEnvironment => Options.Environment ?? KnownSettings?.DefaultEnvironment;

    /// <summary>The cluster of the chosen environment if that was opened; null otherwise.</summary>
    internal ClusterConnection? KnownCluster => _environment is { IsValueCreated: true, Value.IsCompletedSuccessfully: true } ? _environment.Value.Result.Cluster : null;

    /// <summary>Cancelled by Ctrl+C and SIGTERM.</summary>
    public CancellationToken Cancellation => _cancellation.Token;

    /// <summary>The chosen environment, opened once: the sandbox is started, a kubeconfig is checked.</summary>
    public Task<DeployEnvironment> EnvironmentAsync() => _environment.Value;

    /// <summary>Asks every part of the run to stop.</summary>
    public void Cancel() => _cancellation.Cancel();

    private async Task<DeployEnvironment> OpenAsync(IEnumerable<IEnvironmentOpener> openers)
    {
        var environment = EnvironmentSettings;
        var opener = openers.FirstOrDefault(candidate => candidate.CanOpen(environment)) ?? throw new K3sException(
            ExitCodes.BadInput,
            $"environment {environment.Name} is a sandbox, which this build does not bring",
            "Name another environment with --environment, or add UseSandbox() to the build.");
        var opened = await opener.OpenAsync(Settings, environment, Cancellation);
        return Options.Registry is { } other ? opened with { Registry = opened.Registry.At(other) } : opened;
    }
}
