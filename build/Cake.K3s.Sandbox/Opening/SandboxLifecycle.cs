using Cake.Core;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Settings;

namespace Cake.K3s.Sandbox.Opening;

/// <summary>What the tasks SandboxUp, SandboxDown and SandboxStatus do.</summary>
public sealed class SandboxLifecycle
{
    private readonly PipelineRun _run;
    private readonly EnvironmentVariables _variables;
    private readonly DaemonClient _daemon;
    private readonly ICommandRunner _runner;
    private readonly IReporter _reporter;
    private readonly IConsole _console;
    private readonly SandboxDirectory _directory;

    internal SandboxLifecycle(
        PipelineRun run,
        EnvironmentVariables variables,
        DaemonClient daemon,
        ICommandRunner runner,
        IReporter reporter,
        IConsole console)
    {
        _run = run;
        _variables = variables;
        _daemon = daemon;
        _runner = runner;
        _reporter = reporter;
        _console = console;
        _directory = new SandboxDirectory(run.Options.SandboxDirectory);
    }

    /// <summary>Starts whatever is down and shows where everything is.</summary>
    /// <exception cref="K3sException">A part did not start.</exception>
    public async Task UpAsync()
    {
        await _daemon.OpenAsync(DaemonOptions.Of(_run.Options, Settings(), _variables), _run.Cancellation);
        await ShowStatusAsync();
        _console.WriteLine("kubectl --kubeconfig {0} get pods --all-namespaces", Path.GetRelativePath(_run.Options.Root, _directory.Kubeconfig));
    }

    /// <summary>Ends everything and takes back what was changed on the machine.</summary>
    /// <param name="purge">Whether the sandbox's files are deleted too: images, database, keys, the cluster's objects.</param>
    public async Task DownAsync(bool purge)
    {
        if (!Directory.Exists(_directory.Root))
        {
            _reporter.Step("sandbox", "there is none");
            return;
        }

        await new SandboxRemoval(_directory, _runner).RemoveAsync(purge, _run.Cancellation);
        _reporter.Step("sandbox", purge ? "down, its data deleted" : $"down; its data stay in {_directory.Root} (--purge deletes them)");
    }

    /// <summary>Shows each part with version, address, process and health.</summary>
    public async Task ShowStatusAsync()
    {
        if (await _daemon.StatusAsync(_directory, _run.Cancellation) is not { } status)
        {
            _reporter.Step("sandbox", "it is down; --target=SandboxUp starts it");
            return;
        }

        foreach (var line in StatusTable.Lines(status))
        {
            _console.WriteLine("{0}", line);
        }
    }

    // The chosen environment if it is a sandbox, else the one that is.
    private SandboxSettings Settings() =>
        _run.EnvironmentSettings.Sandbox
        ?? _run.Settings.Environments.Values.FirstOrDefault(environment => environment.Sandbox is not null)?.Sandbox
        ?? throw new SettingsException(_run.Settings.File, 0, 0, "no environment is a sandbox", "Add one: environments: {sandbox: {sandbox: {}}}.");
}
