using Cake.Core;
using Cake.K3s.Reporting;

namespace Cake.K3s.Engine;

/// <summary>Reports the tasks of one run, whichever engine runs them, until it is disposed of.</summary>
internal sealed class TaskEvents : IDisposable
{
    private readonly ICakeEngine _engine;
    private readonly IReporter _reporter;
    private readonly CurrentTask _current;

    public TaskEvents(ICakeEngine engine, IReporter reporter, CurrentTask current)
    {
        _engine = engine;
        _reporter = reporter;
        _current = current;
        engine.BeforeTaskSetup += Start;
        engine.AfterTaskTeardown += End;
    }

    public void Dispose()
    {
        _engine.BeforeTaskSetup -= Start;
        _engine.AfterTaskTeardown -= End;
    }

    private void Start(object? sender, BeforeTaskSetupEventArgs args)
    {
        _current.Name = args.TaskSetupContext.Task.Name;
        _reporter.Report(new TaskStarted(args.TaskSetupContext.Task.Name));
    }

    private void End(object? sender, AfterTaskTeardownEventArgs args)
    {
        var ended = args.TaskTeardownContext;
        (TaskOutcome Outcome, string? Reason) end = ended switch
        {
            { Skipped: true } => (TaskOutcome.Skipped, (ended.Task as CakeTask)?.Criterias.Find(criteria => criteria.CausedSkippingOfTask)?.Message),
            { ThrownException: null } => (TaskOutcome.Succeeded, null),
            { ThrownException: var exception } when RunFailure.IsCancelled(exception) => (TaskOutcome.Cancelled, null),
            { ThrownException: var exception } => (TaskOutcome.Failed, RunFailure.Line(exception)),
        };
        _reporter.Report(new TaskEnded(ended.Task.Name, end.Outcome, ended.Duration, end.Reason));
    }
}
