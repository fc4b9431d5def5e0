using System.Runtime.ExceptionServices;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Frosting.Graph;

namespace Cake.Frosting.Running;

/// <summary>Gives tasks and lifetimes to Cake's engine.</summary>
internal sealed class EngineSetup(ICakeEngine engine, IFrostingContext context, ICakeLog log)
{
    /// <summary>Registers a task with the parts that its class really has.</summary>
    public void Register(IFrostingTask task)
    {
        var definition = TaskDefinition.Of(task.GetType());
        log.Debug("Registering task: {0}", definition.Name);
        var builder = engine.RegisterTask(definition.Name);
        builder.Description(definition.Description);
        if (definition.HasAction)
        {
            builder.Does(task.RunAsync);
        }

        if (TaskMembers.Overrides(definition.Type, nameof(IFrostingTask.ShouldRun)))
        {
            builder.WithCriteria(task.ShouldRun, task.SkippedMessage);
        }

        RegisterErrorHandling(builder, task, definition);
        foreach (var dependency in definition.Dependencies.Distinct())
        {
            builder.IsDependentOn(TaskDefinition.NameOf(dependency));
        }

        foreach (var dependee in definition.Dependees.Distinct())
        {
            builder.IsDependeeOf(TaskDefinition.NameOf(dependee));
        }
    }

    /// <summary>Registers what runs before and after the tasks, as far as there is any.</summary>
    public void Register(IFrostingSetup? setup, IFrostingTeardown? teardown, IFrostingTaskSetup? taskSetup, IFrostingTaskTeardown? taskTeardown)
    {
        if (setup is not null)
        {
            engine.RegisterSetupAction(info => setup.Setup(context, info));
        }

        if (teardown is not null)
        {
            engine.RegisterTeardownAction(info => teardown.Teardown(context, info));
        }

        if (taskSetup is not null)
        {
            engine.RegisterTaskSetupAction(info => taskSetup.Setup(context, info));
        }

        if (taskTeardown is not null)
        {
            engine.RegisterTaskTeardownAction(info => taskTeardown.Teardown(context, info));
        }
    }

    private void RegisterErrorHandling(CakeTaskBuilder builder, IFrostingTask task, TaskDefinition definition)
    {
        var continues = Attribute.IsDefined(definition.Type, typeof(ContinueOnErrorAttribute));
        var handles = TaskMembers.Overrides(definition.Type, nameof(IFrostingTask.OnError));
        if (continues)
        {
            builder.OnError(exception =>
            {
                log.Error("{0}", ErrorText.Of(exception, log.Verbosity));
                try
                {
                    task.OnError(exception, context);
                }
                catch (Exception second) when (!ExitCode.IsCancelled(second))
                {
                    if (second != exception)
                    {
                        log.Error("{0}", ErrorText.Of(second, log.Verbosity));
                    }
                }

                if (ExitCode.IsCancelled(exception))
                {
                    ExceptionDispatchInfo.Throw(exception);
                }
            });
        }
        else if (handles)
        {
            builder.OnError(exception => task.OnError(exception, context));
        }

        if (TaskMembers.Overrides(definition.Type, nameof(IFrostingTask.Finally)))
        {
            builder.Finally(() => task.Finally(context));
        }
    }
}
