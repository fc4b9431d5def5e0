using Cake.K3s.Hardening;
using Cake.K3s.Hosting;
using Cake.K3s.Reporting;
using LibGit2Sharp;

namespace Cake.K3s.Operations.CleanUp;

/// <summary>Finds what the time before K3s left, in the repository and on the nodes, and removes it when that is confirmed.</summary>
public sealed class OldFiles
{
    private const string Source = "clean up";
    private const string Rules = "LegacyFirewallRules";
    private const int LargestText = 1 << 20;

    private readonly PipelineRun _run;
    private readonly ControlSet _controls;
    private readonly Hardener _hardener;
    private readonly IReporter _reporter;

    internal OldFiles(PipelineRun run, ControlSet controls, Hardener hardener, IReporter reporter)
    {
        _run = run;
        _controls = controls;
        _hardener = hardener;
        _reporter = reporter;
    }

    /// <summary>
    /// Shows what is left; with <c>--confirm</c> deletes files that git has as they are, so that they can be had back, and the rules of a Swarm on
    /// the nodes with the control that can undo it.
    /// </summary>
    /// <exception cref="K3sException">The directory is in no git repository.</exception>
    public async Task CleanUpAsync()
    {
        var found = Files();
        var plan = _run.EnvironmentSettings.Nodes.IsEmpty ? [] : await _controls.Named(Rules).PlanAsync(_run.Cancellation);
        foreach (var change in plan)
        {
            _reporter.Step(Source, $"{(_run.Options.Confirm ? "now" : "would")} {change.Description} on {change.Target}");
        }

        if (_run.Options.Confirm && plan.Length > 0)
        {
            await _hardener.HardenAsync(Rules);
        }

        var hint = _run.Options.Confirm || found + plan.Length == 0 ? "" : "; --confirm removes it";
        _reporter.Step(Source, $"{found} old files, {plan.Length} nodes with rules of a Docker Swarm{hint}");
    }

    private int Files()
    {
        var root = Repository.Discover(_run.Settings.Root) ?? throw new K3sException(
            ExitCodes.BadInput, $"{_run.Settings.Root} is in no git repository: what is deleted could not be had back", "Commit it to one first.");
        using var repository = new Repository(root);
        var work = repository.Info.WorkingDirectory;
        var files = LeftOver.Find(repository.Index.Select(entry => entry.Path).Where(path => File.Exists(Path.Combine(work, path))), path => Text(Path.Combine(work, path)));
        foreach (var file in files)
        {
            var status = repository.RetrieveStatus(file.Path);
            if (status != FileStatus.Unaltered)
            {
                _reporter.Warning(Source, $"{file.Path} stays: it differs from the last commit, and could not be had back ({file.Why})");
                continue;
            }

            if (_run.Options.Confirm)
            {
                File.Delete(Path.Combine(work, file.Path));
            }

            _reporter.Step(Source, $"{(_run.Options.Confirm ? "deleted" : "would delete")} {file.Path}: {file.Why}");
        }

        return files.Length;
    }

    private static string Text(string path) => new FileInfo(path).Length > LargestText ? "" : File.ReadAllText(path);
}
