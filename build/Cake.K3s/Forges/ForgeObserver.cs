using System.Threading.Channels;
using Cake.Core.Diagnostics;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Octokit;

namespace Cake.K3s.Forges;

/// <summary>
/// Tells the forge how a run goes: a status for each task and one for the whole, the plan as a comment in the pull request, a
/// release for each verified one. What the forge refuses is a warning; it never fails the run.
/// </summary>
internal sealed class ForgeObserver : IRunObserver, IAsyncDisposable
{
    // How long the end of a run waits for what has not been told yet.
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(20);

    private readonly ForgeJob? _job;
    private readonly Lazy<PipelineRun> _run;
    private readonly ICakeLog _log;
    private readonly ISecretMask _mask;
    private readonly RunSummary _summary = new();
    private readonly Channel<Func<ForgeClient, Task>> _queue = Channel.CreateUnbounded<Func<ForgeClient, Task>>();
    private readonly Lazy<Task> _telling;
    private ForgeSettings _settings = new();
    private string _environment = "";
    private bool _isCluster;
    private int _warnings;

    public ForgeObserver(ForgeJob? job, Lazy<PipelineRun> run, ICakeLog log, ISecretMask mask)
    {
        _job = job is { Token: { } token } ? job : null;
        _run = run;
        _log = log;
        _mask = mask;
        _telling = new(TellAsync);
        if (_job is not null)
        {
            mask.Add(_job.Token!);
        }
    }

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        if (_job is null || (runEvent is not RunStarted && _environment.Length == 0))
        {
            return;
        }

        _summary.Observe(runEvent);
        switch (runEvent)
        {
            case RunStarted started when !_run.Value.Options.IsListing:
                ReadSettings();
                SetStatus(started.Target, null, CommitState.Pending, $"{started.Tasks.Length} tasks");
                break;
            case TaskStarted started:
                SetStatus(_summary.Target, started.Name, CommitState.Pending, "runs");
                break;
            case TaskEnded ended:
                SetStatus(_summary.Target, ended.Name, StateOf(ended.Outcome), ended.Reason ?? $"{ended.Outcome.ToString().ToLowerInvariant()} after {RunSummary.Text(ended.Duration)}");
                break;
            case PlanMade plan when _job.PullRequest is not null && _settings.Comments:
                Tell(client => client.CommentAsync($"<!-- cake-k3s plan {_environment} -->", $"### Plan for {_environment}\n\n{plan.Markdown}"));
                break;
            case RunEnded ended:
                End(ended);
                break;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        if (_telling.IsValueCreated && await Task.WhenAny(_telling.Value, Task.Delay(EndLimit)) != _telling.Value)
        {
            Warn($"no answer within {EndLimit.TotalSeconds:0} s");
        }
    }

    private void ReadSettings()
    {
        try
        {
            var run = _run.Value;
            (_settings, _environment, _isCluster) = (run.Settings.Forge, run.EnvironmentSettings.Name, run.EnvironmentSettings.Cluster is not null);
        }
        catch (SettingsException)
        {
            // The run ends with it; its status is told all the same.
            _environment = _run.Value.Options.Environment ?? "settings";
        }
    }

    private void End(RunEnded ended)
    {
        SetStatus(
            _summary.Target,
            null,
            ended.ExitCode == ExitCodes.Success ? CommitState.Success : CommitState.Failure,
            ended.Failure ?? $"done in {RunSummary.Text(_summary.Duration)}");
        if (ended.ExitCode == ExitCodes.Success && _isCluster && _settings.Releases && _summary.VerifiedRelease is { } release)
        {
            var (app, notes) = (_run.Value.Settings.App, _summary.ReleaseNotes());
            Tell(client => client.ReleaseAsync(_environment + "-", release, $"{app} in {_environment}: release {release}", notes));
        }
    }

    private void SetStatus(string target, string? task, CommitState state, string description)
    {
        if (_settings.Statuses)
        {
            var context = $"cake-k3s/{_environment}/{target}{(task is null || task == target ? "" : "/" + task)}";

            // The target's own task is part of the whole: the end of the run says how both went.
            if (task is null || task != target)
            {
                Tell(client => client.SetStatusAsync(context, state, _mask.Hide(description)));
            }
        }
    }

    private void Tell(Func<ForgeClient, Task> message)
    {
        _queue.Writer.TryWrite(message);
        _ = _telling.Value;
    }

    private async Task TellAsync()
    {
        // Away from the task that reports.
        await Task.Yield();
        var client = new ForgeClient(_job!);
        await foreach (var message in _queue.Reader.ReadAllAsync())
        {
            try
            {
                await message(client);
            }
            catch (Exception failure) when (failure is ApiException or HttpRequestException or OperationCanceledException or IOException)
            {
                Warn(failure.GetBaseException().Message);
            }
        }
    }

    private void Warn(string why)
    {
        // One line says what many would.
        if (Interlocked.Increment(ref _warnings) == 1)
        {
            _log.Warning("{0}", _mask.Hide(
                $"forge: {_job!.Api.Host} was not told how the run goes: {why}. Next: give the job's token the rights to write statuses, issues and contents; the run itself goes on."));
        }
    }

    private static CommitState StateOf(TaskOutcome outcome) => outcome switch
    {
        TaskOutcome.Succeeded or TaskOutcome.Skipped => CommitState.Success,
        TaskOutcome.Failed => CommitState.Failure,
        _ => CommitState.Error,
    };
}
