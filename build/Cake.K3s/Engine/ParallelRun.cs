using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.K3s.Engine;

/// <summary>
/// One run with independent tasks at the same time. What happens to each task, and in which order, is what Cake's engine does;
/// after a failure the tasks that do not depend on the failed one still run, unless it is a fail-fast run.
/// </summary>
internal sealed class ParallelRun(
    PipelineEngine engine,
    CakeEngineActions actions,
    ICakeContext context,
    IExecutionStrategy strategy,
    ICakeLog log,
    TaskConsole? console,
    EngineOptions options)
{
    private readonly Lock _lifetimes = new();
    private readonly Dictionary<CakeTask, Action<CakeReport>> _rows = [];
    private readonly List<Exception> _failures = [];

    /// <summary>Runs the tasks, the setup before and the teardown after them.</summary>
    /// <param name="order">The tasks, each after what it depends on.</param>
    /// <param name="targets">The names of the targets.</param>
    /// <param name="schedule">Decides which task starts when.</param>
    /// <exception cref="CakeReportException">Something failed; its cause is the failure, or all of them.</exception>
    public async Task<CakeReport> RunAsync(IReadOnlyList<CakeTask> order, IReadOnlyList<string> targets, Schedule schedule)
    {
        var report = new CakeReport();
        Exception? failure = null;
        try
        {
            Setup(order, targets, report);
            await RunTasksAsync(order, targets, schedule);
            failure = Failure();
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        foreach (var task in order)
        {
            _rows.GetValueOrDefault(task)?.Invoke(report);
        }

        Teardown(report, failure);
        return failure is null ? report : throw new CakeReportException(report, MessageOf(failure), failure);
    }

    private static string MessageOf(Exception failure) =>
        failure is AggregateException several ? string.Join(Environment.NewLine, several.InnerExceptions.Select(each => each.Message)) : failure.Message;

    private async Task RunTasksAsync(IReadOnlyList<CakeTask> order, IReadOnlyList<string> targets, Schedule schedule)
    {
        Dictionary<Task, CakeTask> running = [];
        while (true)
        {
            if (options.Cancellation.IsCancellationRequested)
            {
                schedule.Stop();
            }

            foreach (var name in schedule.Start())
            {
                var task = order.First(candidate => candidate.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
                var isTarget = targets.Contains(task.Name, StringComparer.OrdinalIgnoreCase);
                var section = console?.Open(task.Name);
                running.Add(Task.Run(() => RunTaskAsync(task, isTarget, section)), task);
            }

            if (running.Count == 0)
            {
                return;
            }

            var ended = await Task.WhenAny(running.Keys);
            running.Remove(ended, out var endedTask);
            if (ended.IsCompletedSuccessfully)
            {
                schedule.Complete(endedTask!.Name);
                continue;
            }

            schedule.Fail(endedTask!.Name);
            _failures.Add(ended.Exception?.InnerException ?? new TaskCanceledException(ended));
            if (options.FailFast)
            {
                schedule.Stop();
                options.Stop();
            }
        }
    }

    // Cancelled is what the run is when that came first; tasks that were stopped because another one failed did not fail.
    private Exception? Failure()
    {
        if (_failures.Count == 0)
        {
            return options.Cancellation.IsCancellationRequested ? new OperationCanceledException(options.Cancellation) : null;
        }

        var real = _failures[0] is OperationCanceledException ? [_failures[0]] : _failures.Where(failure => failure is not OperationCanceledException).ToList();
        return real.Count == 1 ? real[0] : new AggregateException(real);
    }

    private async Task RunTaskAsync(CakeTask task, bool isTarget, TaskConsole.Section? section)
    {
        if (section is not null)
        {
            console!.Enter(section);
        }

        var failed = true;
        try
        {
            if (task.Criterias.Find(criteria => !criteria.Predicate(context)) is { } criteria)
            {
                Skip(task, criteria, isTarget);
            }
            else
            {
                await ExecuteAsync(task);
            }

            failed = false;
        }
        finally
        {
            if (section is not null)
            {
                console!.Close(section, showNow: failed);
            }
        }
    }

    private void Skip(CakeTask task, CakeTaskCriteria criteria, bool isTarget)
    {
        if (isTarget)
        {
            var reason = string.IsNullOrWhiteSpace(criteria.Message) ? "" : ": " + criteria.Message;
            throw new CakeException($"Could not reach target '{task.Name}' since it was skipped due to a criteria{reason}.");
        }

        criteria.CausedSkippingOfTask = true;
        TaskSetup(task, skipped: true);
        strategy.Skip(task, criteria);
        TaskTeardown(task, TimeSpan.Zero, skipped: true, null);
        AddRow(task, report => report.AddSkipped(task.Name, criteria.Message ?? string.Empty));
    }

    private async Task ExecuteAsync(CakeTask task)
    {
        var stopwatch = Stopwatch.StartNew();
        TaskSetup(task, skipped: false);
        Exception? failure = null;
        try
        {
            await strategy.ExecuteAsync(task, context);
        }
        catch (Exception exception)
        {
            failure = exception;
            log.Error("An error occurred when executing task '{0}'.", task.Name);
            await HandleAsync(task, exception);
        }
        finally
        {
            if (task.FinallyHandler is not null)
            {
                await strategy.InvokeFinallyAsync(task.FinallyHandler, context);
            }

            TaskTeardown(task, stopwatch.Elapsed, skipped: false, failure);
            log.Verbose($"Completed in {stopwatch.Elapsed}");
            var duration = stopwatch.Elapsed;
            AddRow(task, report =>
            {
                if (task.Actions.Count == 0)
                {
                    report.AddDelegated(task.Name, duration);
                }
                else if (failure is null)
                {
                    report.Add(task.Name, CakeReportEntryCategory.Task, duration);
                }
                else
                {
                    report.AddFailed(task.Name, duration);
                }
            });
        }
    }

    private async Task HandleAsync(CakeTask task, Exception exception)
    {
        if (task.ErrorReporter is not null)
        {
            try
            {
                await strategy.ReportErrorsAsync(task.ErrorReporter, exception);
            }
            catch (Exception second)
            {
                log.Error("The error reporter of task '{0}' failed: {1}", task.Name, second.Message);
            }
        }

        if (task.ErrorHandler is null)
        {
            ExceptionDispatchInfo.Throw(exception);
        }

        try
        {
            await strategy.HandleErrorsAsync(task.ErrorHandler, exception, context);
        }
        catch (Exception second) when (second != exception)
        {
            log.Error("Error: {0}", exception.Message);
            throw;
        }
    }

    private void AddRow(CakeTask task, Action<CakeReport> row)
    {
        lock (_rows)
        {
            _rows.Add(task, row);
        }
    }

    private void Setup(IReadOnlyList<CakeTask> order, IReadOnlyList<string> targets, CakeReport report)
    {
        var target = order.First(task => task.Name.Equals(targets[0], StringComparison.OrdinalIgnoreCase));
        var stopwatch = Stopwatch.StartNew();
        engine.Around(new BeforeSetupEventArgs(context), new AfterSetupEventArgs(context), () =>
        {
            foreach (var setup in actions.Setups)
            {
                strategy.PerformSetup(setup, new SetupContext(context, target, order));
            }
        });
        if (actions.Setups.Count > 0)
        {
            report.Add("Setup", CakeReportEntryCategory.Setup, stopwatch.Elapsed);
        }
    }

    private void Teardown(CakeReport report, Exception? failure)
    {
        var info = new TeardownContext(context, failure);
        var stopwatch = Stopwatch.StartNew();
        List<Exception> errors = [];
        engine.Around(new BeforeTeardownEventArgs(info), new AfterTeardownEventArgs(info), () =>
        {
            foreach (var teardown in actions.Teardowns)
            {
                try
                {
                    strategy.PerformTeardown(teardown, info);
                }
                catch (Exception exception)
                {
                    errors.Add(exception);
                }
            }
        });
        if (actions.Teardowns.Count > 0)
        {
            report.Add("Teardown", CakeReportEntryCategory.Teardown, stopwatch.Elapsed);
        }

        if (errors.Count > 0)
        {
            log.Error("An error occurred in a custom teardown action.");
        }

        // The first failure stands; only where there is none the teardown's own becomes it.
        if (failure is not null)
        {
            errors.ForEach(error => log.Error("Teardown error: {0}", error));
        }
        else if (errors.Count == 1)
        {
            ExceptionDispatchInfo.Throw(errors[0]);
        }
        else if (errors.Count > 1)
        {
            throw new AggregateException("Multiple teardown methods threw exceptions.", errors);
        }
    }

    // Task setups and teardowns run one at a time: they are written for an engine that does so.
    private void TaskSetup(CakeTask task, bool skipped)
    {
        var info = new TaskSetupContext(context, task);
        try
        {
            lock (_lifetimes)
            {
                engine.Around(new BeforeTaskSetupEventArgs(info), new AfterTaskSetupEventArgs(info), () =>
                {
                    if (actions.TaskSetup is not null)
                    {
                        strategy.PerformTaskSetup(actions.TaskSetup, info);
                    }
                });
            }
        }
        catch (Exception exception)
        {
            TaskTeardown(task, TimeSpan.Zero, skipped, exception);
            throw;
        }
    }

    private void TaskTeardown(CakeTask task, TimeSpan duration, bool skipped, Exception? failure)
    {
        var info = new TaskTeardownContext(context, task, duration, skipped, failure);
        try
        {
            lock (_lifetimes)
            {
                engine.Around(new BeforeTaskTeardownEventArgs(info), new AfterTaskTeardownEventArgs(info), () =>
                {
                    if (actions.TaskTeardown is not null)
                    {
                        strategy.PerformTaskTeardown(actions.TaskTeardown, info);
                    }
                });
            }
        }
        catch (Exception exception)
        {
            log.Error("An error occurred in the custom task teardown action ({0}).", task.Name);
            if (failure is null)
            {
                throw;
            }

            log.Error("Task Teardown error ({0}): {1}", task.Name, exception);
        }
    }
}
