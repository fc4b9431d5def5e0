using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.Graph;

namespace Cake.K3s.Engine;

/// <summary>
/// Cake's engine, with two additions: runs include the tasks that <see cref="FollowedByAttribute"/> names, and independent
/// tasks run at the same time. Dry runs, exclusive runs, foreign execution strategies and <c>--sequential</c> are left to Cake.
/// </summary>
internal sealed class PipelineEngine : ICakeEngine
{
    private readonly CakeEngine _engine;
    private readonly CakeEngineActions _actions;
    private readonly ICakeLog _log;
    private readonly TaskConsole? _console;
    private readonly Func<TaskTraits> _traits;
    private readonly Func<EngineOptions> _options;

    /// <summary>Makes an engine; what the tasks and the command line say is asked for when a run starts.</summary>
    public PipelineEngine(ICakeDataService data, ICakeLog log, IConsole console, Func<TaskTraits> traits, Func<EngineOptions> options)
    {
        _engine = new CakeEngine(data, log);
        _actions = new CakeEngineActions(data);
        _log = log;
        _console = console as TaskConsole;
        _traits = traits;
        _options = options;

        _engine.BeforeSetup += (_, args) => Publish(BeforeSetup, args);
        _engine.AfterSetup += (_, args) => Publish(AfterSetup, args);
        _engine.BeforeTeardown += (_, args) => Publish(BeforeTeardown, args);
        _engine.AfterTeardown += (_, args) => Publish(AfterTeardown, args);
        _engine.BeforeTaskSetup += (_, args) => Publish(BeforeTaskSetup, args);
        _engine.AfterTaskSetup += (_, args) => Publish(AfterTaskSetup, args);
        _engine.BeforeTaskTeardown += (_, args) => Publish(BeforeTaskTeardown, args);
        _engine.AfterTaskTeardown += (_, args) => Publish(AfterTaskTeardown, args);
    }

    public event EventHandler<BeforeSetupEventArgs>? BeforeSetup;

    public event EventHandler<AfterSetupEventArgs>? AfterSetup;

    public event EventHandler<BeforeTeardownEventArgs>? BeforeTeardown;

    public event EventHandler<AfterTeardownEventArgs>? AfterTeardown;

    public event EventHandler<BeforeTaskSetupEventArgs>? BeforeTaskSetup;

    public event EventHandler<AfterTaskSetupEventArgs>? AfterTaskSetup;

    public event EventHandler<BeforeTaskTeardownEventArgs>? BeforeTaskTeardown;

    public event EventHandler<AfterTaskTeardownEventArgs>? AfterTaskTeardown;

    public IReadOnlyList<ICakeTaskInfo> Tasks => _engine.Tasks;

    public CakeTaskBuilder RegisterTask(string name) => _engine.RegisterTask(name);

    public void RegisterSetupAction(Action<ISetupContext> action)
    {
        _engine.RegisterSetupAction(action);
        _actions.RegisterSetup(action);
    }

    public void RegisterSetupAction<TData>(Func<ISetupContext, TData> action)
        where TData : class
    {
        _engine.RegisterSetupAction(action);
        _actions.RegisterSetup(action);
    }

    public void RegisterTeardownAction(Action<ITeardownContext> action)
    {
        _engine.RegisterTeardownAction(action);
        _actions.RegisterTeardown(action);
    }

    public void RegisterTeardownAction<TData>(Action<ITeardownContext, TData> action)
        where TData : class
    {
        _engine.RegisterTeardownAction(action);
        _actions.RegisterTeardown(action);
    }

    public void RegisterTaskSetupAction(Action<ITaskSetupContext> action)
    {
        _engine.RegisterTaskSetupAction(action);
        _actions.RegisterTaskSetup(action);
    }

    public void RegisterTaskSetupAction<TData>(Action<ITaskSetupContext, TData> action)
        where TData : class
    {
        _engine.RegisterTaskSetupAction(action);
        _actions.RegisterTaskSetup(action);
    }

    public void RegisterTaskTeardownAction(Action<ITaskTeardownContext> action)
    {
        _engine.RegisterTaskTeardownAction(action);
        _actions.RegisterTaskTeardown(action);
    }

    public void RegisterTaskTeardownAction<TData>(Action<ITaskTeardownContext, TData> action)
        where TData : class
    {
        _engine.RegisterTaskTeardownAction(action);
        _actions.RegisterTaskTeardown(action);
    }

    public async Task<CakeReport> RunTargetAsync(ICakeContext context, IExecutionStrategy strategy, ExecutionSettings settings)
    {
        var options = _options();
        if (DryRunStrategy.IsDryRun(strategy))
        {
            return await RunTargetAsync(context, new DryRunStrategy(strategy), settings, options);
        }

        using var events = new TaskEvents(this, options.Reporter, options.Current);
        return await RunTargetAsync(context, strategy, settings, options);
    }

    private Task<CakeReport> RunTargetAsync(ICakeContext context, IExecutionStrategy strategy, ExecutionSettings settings, EngineOptions options)
    {
        if (settings.Exclusive)
        {
            return _engine.RunTargetAsync(context, strategy, settings);
        }

        // One graph for all targets: a follow-up depends on what it follows.
        var traits = _traits();
        settings.SetTargets(FollowUps.Add(settings.Targets, Tasks, traits.FollowUps));
        settings.UseUnifiedDependencyGraphForMultipleTargets(true);

        var graph = CakeGraphBuilder.Build(Tasks);
        if (options.Sequential || strategy is not DefaultExecutionStrategy || !settings.Targets.Any() || !settings.Targets.All(graph.Exist))
        {
            return _engine.RunTargetAsync(context, strategy, settings);
        }

        // Cake orders several targets differently from one; the order decides what the setup and the report show.
        _actions.Validate();
        IReadOnlyList<string> targets = [.. settings.Targets];
        var order = (targets is [var target] ? graph.Traverse(target) : graph.Traverse(targets))
            .Select(name => _engine.Tasks.OfType<CakeTask>().First(task => task.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            .ToList();
        var dependencies = graph.Edges.ToLookup(edge => edge.End, edge => edge.Start, StringComparer.OrdinalIgnoreCase);
        var schedule = new Schedule(order.Select(task => task.Name), dependencies, traits.RunAlone);
        return new ParallelRun(this, _actions, context, strategy, _log, _console, options)
            .RunAsync(order, targets, schedule);
    }

    // A broken handler breaks neither the run nor the other handlers, as in Cake's engine.
    private void Publish<T>(EventHandler<T>? handlers, T args)
        where T : EventArgs
    {
        foreach (var handler in handlers?.GetInvocationList().Cast<EventHandler<T>>() ?? [])
        {
            try
            {
                handler(this, args);
            }
            catch (Exception exception)
            {
                _log.Error("An error occurred in the event handler {0}: {1}", handler.Method.Name, exception.Message);
            }
        }
    }

    /// <summary>Raises the events of a run that this engine does itself.</summary>
    internal void Around(BeforeSetupEventArgs before, AfterSetupEventArgs after, Action action) =>
        Around(() => Publish(BeforeSetup, before), () => Publish(AfterSetup, after), action);

    internal void Around(BeforeTeardownEventArgs before, AfterTeardownEventArgs after, Action action) =>
        Around(() => Publish(BeforeTeardown, before), () => Publish(AfterTeardown, after), action);

    internal void Around(BeforeTaskSetupEventArgs before, AfterTaskSetupEventArgs after, Action action) =>
        Around(() => Publish(BeforeTaskSetup, before), () => Publish(AfterTaskSetup, after), action);

    internal void Around(BeforeTaskTeardownEventArgs before, AfterTaskTeardownEventArgs after, Action action) =>
        Around(() => Publish(BeforeTaskTeardown, before), () => Publish(AfterTaskTeardown, after), action);

    private static void Around(Action before, Action after, Action action)
    {
        before();
        try
        {
            action();
        }
        finally
        {
            after();
        }
    }
}
