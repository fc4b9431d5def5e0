using Cake.Core;
using Cake.Core.Diagnostics;

namespace Cake.K3s.Tests.Engine;

/// <summary>A run of a random graph by an engine, with all that could be seen of it.</summary>
internal sealed class EngineRun
{
    private readonly Lock _gate = new();
    private readonly List<string> _events = [];

    /// <summary>"start X", "end X" and what lifetimes see, in order.</summary>
    public IReadOnlyList<string> Events => _events;

    public string[] Lines { get; private set; } = [];

    public Exception? Failure { get; private set; }

    public string[] Report { get; private set; } = [];

    public IEnumerable<string> Started => _events.Where(entry => entry.StartsWith("start ", StringComparison.Ordinal)).Select(entry => entry[6..]);

    public static async Task<EngineRun> OfAsync(RandomGraph graph, Func<ICakeLog, IConsole, ICakeEngine> makeEngine, IConsole console, RecordingConsole screen)
    {
        var run = new EngineRun();
        var log = new CakeBuildLog(console);
        var context = new StubContext(log);
        var engine = makeEngine(log, console);
        engine.RegisterSetupAction(info =>
            run.Add($"setup of {info.TargetTask.Name}: {string.Join(" ", info.TasksToExecute.Select(task => task.Name))}"));
        engine.RegisterTeardownAction(info => run.Add($"teardown, successful: {info.Successful}"));
        engine.RegisterTaskSetupAction(info => run.Add("before " + info.Task.Name));
        engine.RegisterTaskTeardownAction(info => run.Add($"after {info.Task.Name}, skipped: {info.Skipped}, successful: {info.Successful}"));
        foreach (var task in graph.Tasks)
        {
            run.Register(engine.RegisterTask(task.Name), task, log);
        }

        var settings = new ExecutionSettings().SetTargets(graph.Targets).UseUnifiedDependencyGraphForMultipleTargets(true);
        CakeReport? report;
        try
        {
            report = await engine.RunTargetAsync(context, new DefaultExecutionStrategy(log, new CakeReportPrinter(console, context)), settings)
                .WaitAsync(TimeSpan.FromSeconds(30));
        }
        catch (CakeReportException exception)
        {
            run.Failure = exception.InnerException;
            report = exception.Report;
        }

        run.Report = [.. report.Select(entry => $"{entry.TaskName} {entry.ExecutionStatus} {entry.SkippedMessage}")];
        run.Lines = screen.Lines;
        return run;
    }

    private void Register(CakeTaskBuilder builder, RandomTask task, ICakeLog log)
    {
        foreach (var dependency in task.Dependencies)
        {
            builder.IsDependentOn(dependency);
        }

        if (task.Behaviour == Behaviour.IsSkipped)
        {
            builder.WithCriteria(_ => false, "not needed");
        }

        if (task.Behaviour != Behaviour.Gathers)
        {
            builder.Does(_ => DoAsync(task, log));
        }

        switch (task.Behaviour)
        {
            case Behaviour.FailsAndIsContinued:
                builder.OnError(_ => Add("handled " + task.Name));
                break;
            case Behaviour.FailsAndItsHandlerFails:
                builder.OnError(_ => throw new InvalidOperationException("handler of " + task.Name));
                break;
            case Behaviour.FailsInFinally:
                builder.Finally(() => throw new InvalidOperationException("finally of " + task.Name));
                break;
        }
    }

    private async Task DoAsync(RandomTask task, ICakeLog log)
    {
        Add("start " + task.Name);
        log.Information("{0} line {1}", task.Name, 1);
        for (var i = 0; i < (task.Behaviour is Behaviour.SucceedsLater or Behaviour.FailsLater ? 50 : 1); i++)
        {
            await Task.Yield();
        }

        log.Information("{0} line {1}", task.Name, 2);
        Add("end " + task.Name);
        if (task.Behaviour is Behaviour.Fails or Behaviour.FailsLater or Behaviour.FailsAndIsContinued or Behaviour.FailsAndItsHandlerFails)
        {
            throw new InvalidOperationException("failure of " + task.Name);
        }
    }

    private void Add(string entry)
    {
        lock (_gate)
        {
            _events.Add(entry);
        }
    }
}
