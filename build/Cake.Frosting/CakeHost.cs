using System.Reflection;
using Cake.Frosting.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>
/// Runs tasks with Cake's engine. <c>return new CakeHost().UseContext&lt;MyContext&gt;().Run(args);</c> is a whole program:
/// the public tasks of the entry assembly are found by themselves.
/// </summary>
public sealed class CakeHost
{
    private readonly IServiceCollection _services = new ServiceCollection().AddCakeServices();
    private readonly List<Assembly> _assemblies = [];

    /// <summary>Makes a host with Cake's own services and the tasks of the entry assembly.</summary>
    public CakeHost()
    {
        if (Assembly.GetEntryAssembly() is { } entryAssembly)
        {
            _assemblies.Add(entryAssembly);
        }
    }

    /// <summary>Makes a host.</summary>
    public static CakeHost Create() => new();

    /// <summary>Adds the public tasks of an assembly.</summary>
    /// <param name="assembly">The assembly; one that was added before is not added again.</param>
    /// <returns>The same host.</returns>
    public CakeHost AddAssembly(Assembly assembly)
    {
        if (assembly is not null && !_assemblies.Contains(assembly))
        {
            _assemblies.Add(assembly);
        }

        return this;
    }

    /// <summary>Adds or replaces services; of two services for one type the last counts.</summary>
    /// <param name="services">Called at once with the host's services.</param>
    /// <returns>The same host.</returns>
    public CakeHost ConfigureServices(Action<IServiceCollection> services)
    {
        ArgumentNullException.ThrowIfNull(services);
        services(_services);
        return this;
    }

    /// <summary>Does what the command line asks for; <c>--help</c> lists the switches.</summary>
    /// <param name="args">The command line.</param>
    /// <returns>
    /// The exit code: 0 for success; 2 for a wrong command line or an unknown target; 130 for a cancelled run. A failed run
    /// gives the number that the exception carries as <c>Data["ExitCode"]</c> or as <c>CakeException.ExitCode</c>, else 1.
    /// </returns>
    public int Run(IEnumerable<string> args)
    {
        ArgumentNullException.ThrowIfNull(args);
        return new HostRun(_services, _assemblies).Execute([.. args]);
    }
}
