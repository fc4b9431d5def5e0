using Cake.Core;

namespace Cake.K3s.Engine;

/// <summary>
/// Cake's own strategy for a dry run, without setup and teardown: the Cake.Frosting package runs both, and the setup opens the
/// environment.
/// </summary>
internal sealed class DryRunStrategy(IExecutionStrategy strategy) : IExecutionStrategy
{
    /// <summary>Whether a run with a strategy is a dry run; Cake tells an engine in no other way.</summary>
    public static bool IsDryRun(IExecutionStrategy strategy) => strategy.GetType().Name == "DryRunExecutionStrategy";

    public void PerformSetup(Action<ISetupContext> action, ISetupContext context)
    {
    }

    public void PerformTeardown(Action<ITeardownContext> action, ITeardownContext teardownContext)
    {
    }

    public Task ExecuteAsync(CakeTask task, ICakeContext context) => strategy.ExecuteAsync(task, context);

    public void Skip(CakeTask task, CakeTaskCriteria criteria) => strategy.Skip(task, criteria);

    public Task ReportErrorsAsync(Func<Exception, Task> action, Exception exception) => strategy.ReportErrorsAsync(action, exception);

    public Task HandleErrorsAsync(Func<Exception, ICakeContext, Task> action, Exception exception, ICakeContext context) =>
        strategy.HandleErrorsAsync(action, exception, context);

    public Task InvokeFinallyAsync(Func<ICakeContext, Task> action, ICakeContext context) => strategy.InvokeFinallyAsync(action, context);

    public void PerformTaskSetup(Action<ITaskSetupContext> action, ITaskSetupContext taskSetupContext) =>
        strategy.PerformTaskSetup(action, taskSetupContext);

    public void PerformTaskTeardown(Action<ITaskTeardownContext> action, ITaskTeardownContext taskTeardownContext) =>
        strategy.PerformTaskTeardown(action, taskTeardownContext);
}
