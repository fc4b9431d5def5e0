using System.Globalization;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Checks;

/// <summary>Runs the commands of Lint and Test, each only if something that it depends on changed since it last passed.</summary>
public sealed class CheckRunner
{
    private readonly PipelineRun _run;
    private readonly ICommandRunner _commands;
    private readonly IReporter _reporter;
    private readonly EnvironmentVariables _variables;
    private readonly TimeProvider _time;

    internal CheckRunner(PipelineRun run, ICommandRunner commands, IReporter reporter, EnvironmentVariables variables, TimeProvider time)
    {
        _run = run;
        _commands = commands;
        _reporter = reporter;
        _variables = variables;
        _time = time;
    }

    /// <summary>Runs the lint commands of deploy.yaml, in their order.</summary>
    /// <exception cref="CommandFailedException">One failed; those after it did not run.</exception>
    public Task LintAsync() => RunAsync("lint", _run.Settings.Checks.Lint);

    /// <summary>Runs the test commands of deploy.yaml, in their order.</summary>
    /// <exception cref="CommandFailedException">One failed; those after it did not run.</exception>
    public Task TestAsync() => RunAsync("test", _run.Settings.Checks.Test);

    private async Task RunAsync(string kind, IReadOnlyCollection<CheckCommand> checks)
    {
        if (checks.Count == 0)
        {
            _reporter.Step(kind, $"nothing to do: deploy.yaml has no checks.{kind}");
        }

        foreach (var check in checks)
        {
            await RunAsync(kind, check, _run.Cancellation);
        }
    }

    private async Task RunAsync(string kind, CheckCommand check, CancellationToken cancellationToken)
    {
        var stamps = new CheckStamps(Path.Combine(_run.Options.ArtifactsDirectory, "checks"));
        var key = await CheckStamps.KeyAsync(_run.Settings.Root, check, cancellationToken);

        // A CI server's word must not rest on what a cache says.
        if (!_run.Options.Rerun && !_variables.IsCI && stamps.PassedAt(key) is { } passed)
        {
            _reporter.Step(kind, string.Create(
                CultureInfo.InvariantCulture,
                $"skipped: {check.Run} (unchanged since it passed at {passed.ToLocalTime():yyyy-MM-dd HH:mm}; --rerun runs it)"));
            return;
        }

        _reporter.Step(kind, check.Run);
        var result = await _commands.RunAsync(
            ShellCommand.Of(check.Run) with
            {
                WorkingDirectory = _run.Settings.Root,
                OnLine = line => _reporter.Output(kind, line.Text),
                Purpose = $"{kind} command '{check.Run}'",
                NextStep = "mend what it reports above and run again; what has passed is not repeated",
            },
            cancellationToken);
        stamps.Write(key, _time.GetUtcNow());
        _reporter.Step(kind, string.Create(CultureInfo.InvariantCulture, $"passed in {result.Elapsed.TotalSeconds:0.0} s: {check.Run}"));
    }
}
