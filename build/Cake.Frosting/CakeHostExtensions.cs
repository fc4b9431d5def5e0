using Cake.Core.Composition;
using Cake.Core.IO;
using Cake.Core.Packaging;

namespace Cake.Frosting;

/// <summary>Configures a <see cref="CakeHost"/>.</summary>
public static class CakeHostExtensions
{
    /// <summary>Lets a startup class add services; it is made and called at once.</summary>
    /// <typeparam name="TStartup">The startup class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseStartup<TStartup>(this CakeHost host)
        where TStartup : IFrostingStartup, new()
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => new TStartup().Configure(services));
    }

    /// <summary>Sets the class of the context; the last one counts.</summary>
    /// <typeparam name="TContext">The context's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseContext<TContext>(this CakeHost host)
        where TContext : class, IFrostingContext
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseContext<TContext>());
    }

    /// <summary>Sets what is done before the first and after the last task; the last one counts.</summary>
    /// <typeparam name="TLifetime">The lifetime's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseLifetime<TLifetime>(this CakeHost host)
        where TLifetime : class, IFrostingLifetime
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseLifetime<TLifetime>());
    }

    /// <summary>Sets what is done before the first task; the last one counts.</summary>
    /// <typeparam name="TSetup">The setup's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseSetup<TSetup>(this CakeHost host)
        where TSetup : class, IFrostingSetup
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseSetup<TSetup>());
    }

    /// <summary>Sets what is done after the last task; the last one counts.</summary>
    /// <typeparam name="TTeardown">The teardown's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseTeardown<TTeardown>(this CakeHost host)
        where TTeardown : class, IFrostingTeardown
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseTeardown<TTeardown>());
    }

    /// <summary>Sets what is done before and after each task; the last one counts.</summary>
    /// <typeparam name="TLifetime">The lifetime's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseTaskLifetime<TLifetime>(this CakeHost host)
        where TLifetime : class, IFrostingTaskLifetime
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseTaskLifetime<TLifetime>());
    }

    /// <summary>Sets what is done before each task; the last one counts.</summary>
    /// <typeparam name="TSetup">The setup's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseTaskSetup<TSetup>(this CakeHost host)
        where TSetup : class, IFrostingTaskSetup
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseTaskSetup<TSetup>());
    }

    /// <summary>Sets what is done after each task; the last one counts.</summary>
    /// <typeparam name="TTeardown">The teardown's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseTaskTeardown<TTeardown>(this CakeHost host)
        where TTeardown : class, IFrostingTaskTeardown
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseTaskTeardown<TTeardown>());
    }

    /// <summary>Adds the services of a Cake module.</summary>
    /// <typeparam name="TModule">The module's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseModule<TModule>(this CakeHost host)
        where TModule : ICakeModule, new()
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseModule<TModule>());
    }

    /// <summary>Adds a way to install the packages that hold tools.</summary>
    /// <typeparam name="TPackageInstaller">The installer's class.</typeparam>
    /// <param name="host">The host.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UsePackageInstaller<TPackageInstaller>(this CakeHost host)
        where TPackageInstaller : class, IPackageInstaller
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UsePackageInstaller<TPackageInstaller>());
    }

    /// <summary>Installs a tool before the first task runs.</summary>
    /// <param name="host">The host.</param>
    /// <param name="uri">Its package, e.g. <c>dotnet:?package=X&amp;version=1.0.0</c>.</param>
    /// <returns>The same host.</returns>
    public static CakeHost InstallTool(this CakeHost host, Uri uri)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseTool(uri));
    }

    /// <summary>Sets the working directory; <c>--working</c> wins over it.</summary>
    /// <param name="host">The host.</param>
    /// <param name="path">A directory, relative to the one of the process.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseWorkingDirectory(this CakeHost host, DirectoryPath path)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseWorkingDirectory(path));
    }

    /// <summary>Sets a value of Cake's configuration; <c>CAKE_</c> variables, cake.config and the command line win over it.</summary>
    /// <param name="host">The host.</param>
    /// <param name="key">Its key, e.g. <c>Paths_Tools</c>.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The same host.</returns>
    public static CakeHost UseCakeSetting(this CakeHost host, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseCakeSetting(key, value));
    }

    /// <summary>Sets the directory that tools are installed to.</summary>
    /// <param name="host">The host.</param>
    /// <param name="path">A directory.</param>
    /// <returns>The same host.</returns>
    public static CakeHost SetToolPath(this CakeHost host, DirectoryPath path)
    {
        ArgumentNullException.ThrowIfNull(host);
        return host.ConfigureServices(services => services.UseToolPath(path));
    }
}
