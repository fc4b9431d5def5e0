using Cake.Core.Diagnostics;
using Cake.K3s.Hosting;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Notifications;

/// <summary>
/// Tells people how a run ended that changes an environment or audits it. A message that cannot be sent is a warning; it never
/// changes how the run ended.
/// </summary>
internal sealed class NotificationObserver(
    Lazy<PipelineRun> run,
    NotificationSender sender,
    RunOrigin origin,
    ICakeLog log,
    ISecretMask mask) : IRunObserver, IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    // A look at a plan or at a list is nobody else's business.
    private static readonly HashSet<string> Told = new(StringComparer.OrdinalIgnoreCase) { "Deploy", "Regions", "Rollback", "Harden", "Audit", "CheckUptime" };

    private readonly RunSummary _summary = new();
    private bool _isTold;
    private Task _sending = Task.CompletedTask;

    /// <inheritdoc/>
    public void Observe(RunEvent runEvent)
    {
        _summary.Observe(runEvent);
        switch (runEvent)
        {
            case RunStarted started:
                _isTold = started.Tasks.Any(task => Told.Contains(task.Split('-')[0]));
                break;
            case RunEnded ended when _isTold:
                _sending = SendAsync(ended);
                break;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await _sending;

    private async Task SendAsync(RunEnded ended)
    {
        // Away from the run, which goes on to its end.
        await Task.Yield();
        EnvironmentSettings environment;
        DeploySettings settings;
        try
        {
            (settings, environment) = (run.Value.Settings, run.Value.EnvironmentSettings);
        }
        catch (SettingsException)
        {
            return; // What the run ended with; it also says where messages would go.
        }

        var result = new RunResult(
            settings.App,
            environment.Name,
            _summary.Target,
            RunResult.OutcomeOf(ended.ExitCode),
            ended.ExitCode,
            ended.Failure,
            ended.NextStep,
            _summary.VerifiedRelease,
            _summary.Duration,
            origin);
        await Task.WhenAll(environment.Notifications
            .Where(notification => notification.On.IsDefaultOrEmpty || notification.On.Contains(result.Outcome))
            .Select(notification => SendAsync(notification, result, settings.Root)));
    }

    private async Task SendAsync(NotificationSettings notification, RunResult result, string root)
    {
        using var limit = new CancellationTokenSource(Limit);
        try
        {
            await sender.SendAsync(notification, result, root, limit.Token);
        }
        catch (K3sException failure)
        {
            log.Warning("{0}", mask.Hide($"notification: {failure.Summary}. Next: {failure.NextStep}"));
        }
        catch (OperationCanceledException)
        {
            log.Warning("{0}", $"notification: no answer within {Limit.TotalSeconds:0} s. Next: correct 'notifications' of the environment in deploy.yaml.");
        }
    }
}
