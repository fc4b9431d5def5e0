using System.Reflection;
using Cake.Cli;
using Cake.Core;
using Cake.Core.Diagnostics;
using Cake.Core.IO;
using Cake.Core.Packaging;
using Cake.Core.Scripting;
using Cake.Frosting.CommandLine;
using Cake.Frosting.Graph;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Cake.Frosting.Running;

/// <summary>One run of a host. It works on a copy of the services, so that a host can run again.</summary>
internal sealed class HostRun(IServiceCollection hostServices, IReadOnlyList<Assembly> assemblies)
{
    private readonly ServiceCollection _services = [.. hostServices];

    public int Execute(IReadOnlyList<string> args)
    {
        HostOptions options;
        try
        {
            options = CommandLineParser.Parse(args, KnownArguments());
        }
        catch (CommandLineException exception)
        {
            using var minimal = _services.BuildServiceProvider();
            minimal.GetRequiredService<ICakeLog>().Error("{0}", ErrorText.Of(exception, Verbosity.Normal));
            return ExitCode.Of(exception);
        }

        _services.AddSingleton(options.Arguments);
        var warnings = AddDiscoveredTasks(options.Mode);
        var provider = _services.BuildServiceProvider();
        var log = provider.GetRequiredService<ICakeLog>();
        log.Verbosity = options.Verbosity;
        var exitCode = Guard(log, () =>
        {
            foreach (var warning in warnings)
            {
                log.Warning("{0}", warning);
            }

            Execute(options, provider, log);
        });

        // Services may only be disposable asynchronously; there is no synchronization context to wait on here.
        var disposal = Guard(log, () => provider.DisposeAsync().AsTask().GetAwaiter().GetResult());
        return exitCode == ExitCode.Success ? disposal : exitCode;
    }

    // The last place that can tell the operator what failed; the exit code tells the caller.
    private static int Guard(ICakeLog log, Action action)
    {
        try
        {
            action();
            return ExitCode.Success;
        }
        catch (Exception exception)
        {
            log.Error("{0}", ExitCode.IsCancelled(exception) ? "Cancelled." : ErrorText.Of(exception, log.Verbosity));
            return ExitCode.Of(exception);
        }
    }

    private void Execute(HostOptions options, IServiceProvider provider, ICakeLog log)
    {
        var console = provider.GetRequiredService<IConsole>();
        switch (options.Mode)
        {
            case HostMode.Help:
                HelpText.Write(console, Setting(CakeSetting.Program), Setting(CakeSetting.ArgumentsHelp), KnownArguments() ?? [], KnownTasks());
                break;
            case HostMode.Version:
                provider.GetRequiredService<VersionFeature>().Run(console);
                break;
            case HostMode.Info:
                provider.GetRequiredService<InfoFeature>().Run(console);
                break;
            case HostMode.Tree:
                new TreePrinter(console, new TaskGraph(KnownTasks())).Write();
                break;
            case HostMode.Description:
                DescriptionPrinter.Write(console, new TaskGraph(KnownTasks()));
                break;
            default:
                RunTargets(options, provider, log);
                break;
        }
    }

    private void RunTargets(HostOptions options, IServiceProvider provider, ICakeLog log)
    {
        SetWorkingDirectory(options, provider);

        // Names are checked before the context or a task is made, so that a mistyped one starts nothing.
        if (_services.All(service => service.ServiceType != typeof(IFrostingTask) || ClassOf(service) is not null))
        {
            CheckTargets(new TaskGraph(KnownTasks()), options);
        }

        var context = provider.GetRequiredService<IFrostingContext>();
        var tasks = provider.GetServices<IFrostingTask>().Where(task => TakesContext(task, context, log)).ToList();
        CheckTargets(new TaskGraph([.. tasks.Select(task => TaskDefinition.Of(task.GetType()))]), options);

        var engine = new EngineSetup(provider.GetRequiredService<ICakeEngine>(), context, log);
        tasks.ForEach(engine.Register);
        var isDryRun = options.Mode == HostMode.DryRun;
        if (!isDryRun)
        {
            InstallTools(provider, log);
            engine.Register(
                provider.GetService<IFrostingSetup>(),
                provider.GetService<IFrostingTeardown>(),
                provider.GetService<IFrostingTaskSetup>(),
                provider.GetService<IFrostingTaskTeardown>());
        }

        ScriptHost host = isDryRun
            ? provider.GetRequiredService<DryRunScriptHost<IFrostingContext>>()
            : provider.GetRequiredService<BuildScriptHost<IFrostingContext>>();
        if (options.Exclusive)
        {
            host.Settings.UseExclusiveTarget();
        }

        host.RunTargets(options.Targets);
    }

    private string? Setting(string key) => _services
        .Select(service => service.ImplementationInstance)
        .OfType<CakeSetting>()
        .LastOrDefault(setting => setting.Key.Equals(key, StringComparison.OrdinalIgnoreCase))?
        .Value;

    private List<string>? KnownArguments() => Setting(CakeSetting.KnownArguments)?
        .Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToList();

    private IReadOnlyList<string> AddDiscoveredTasks(HostMode mode)
    {
        if (mode is HostMode.Version or HostMode.Info)
        {
            return [];
        }

        var (tasks, warnings) = TaskDiscovery.Find(assemblies);
        foreach (var task in tasks)
        {
            // A task that was also registered by hand is one task.
            _services.TryAddEnumerable(ServiceDescriptor.Singleton(typeof(IFrostingTask), task));
        }

        var asyncVoid = from task in KnownTasks()
                        from member in TaskMembers.AsyncVoidMembersOf(task.Type)
                        select $"Task '{task.Name}' overrides {member} with async void: what follows its first await is lost. Derive from AsyncFrostingTask.";
        return mode == HostMode.Help ? [] : [.. warnings, .. asyncVoid];
    }

    // Read from the registrations, so that no task is made.
    private List<TaskDefinition> KnownTasks() =>
        [.. _services.Where(service => service.ServiceType == typeof(IFrostingTask)).Select(ClassOf).OfType<Type>().Select(TaskDefinition.Of)];

    private static Type? ClassOf(ServiceDescriptor service)
    {
        // The type argument of a factory is the class where the caller named it: AddSingleton<IFrostingTask, MyTask>(...).
        var type = service.ImplementationType ?? service.ImplementationInstance?.GetType() ?? service.ImplementationFactory?.GetType().GenericTypeArguments[1];
        return type is { IsClass: true, IsAbstract: false } && typeof(IFrostingTask).IsAssignableFrom(type) ? type : null;
    }

    private static void CheckTargets(TaskGraph graph, HostOptions options)
    {
        var missing = options.Targets.Select(graph.MissingTargetMessage).OfType<string>().ToList();
        if (missing.Count > 0)
        {
            throw new CommandLineException(string.Join(Environment.NewLine, missing));
        }
    }

    private static bool TakesContext(IFrostingTask task, IFrostingContext context, ICakeLog log)
    {
        var expected = TaskMembers.ContextTypeOf(task.GetType());
        var fits = expected is null || expected.IsInstanceOfType(context);
        if (!fits)
        {
            log.Warning("Task '{0}' cannot be used since the context isn't convertible to {1}.", TaskDefinition.NameOf(task.GetType()), expected!.FullName);
        }

        return fits;
    }

    private static void SetWorkingDirectory(HostOptions options, IServiceProvider provider)
    {
        var environment = provider.GetRequiredService<ICakeEnvironment>();
        var directory = (options.WorkingDirectory ?? provider.GetService<WorkingDirectory>()?.Path)?.MakeAbsolute(environment);
        if (directory is null)
        {
            return;
        }

        if (!provider.GetRequiredService<IFileSystem>().Exist(directory))
        {
            throw new CommandLineException($"The working directory '{directory.FullPath}' does not exist.");
        }

        environment.WorkingDirectory = directory;
    }

    private static void InstallTools(IServiceProvider provider, ICakeLog log)
    {
        var installer = provider.GetRequiredService<IToolInstaller>();
        foreach (var tool in provider.GetServices<PackageReference>())
        {
            log.Verbose("Installing {0}...", tool.Package);
            installer.Install(tool);
        }
    }
}
