using Cake.Cli;
using Cake.Core.Composition;
using Cake.Core.IO;
using Cake.Core.Packaging;
using Cake.Frosting.Running;
using Microsoft.Extensions.DependencyInjection;

namespace Cake.Frosting;

/// <summary>Configures a host's services.</summary>
public static class ServiceCollectionExtensions
{
    /// <summary>Sets the class of the context; the last one counts.</summary>
    /// <typeparam name="TContext">The context's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseContext<TContext>(this IServiceCollection services)
        where TContext : class, IFrostingContext
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IFrostingContext, TContext>();
    }

    /// <summary>Sets what is done before the first and after the last task; the last one counts.</summary>
    /// <typeparam name="TLifetime">The lifetime's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseLifetime<TLifetime>(this IServiceCollection services)
        where TLifetime : class, IFrostingLifetime
    {
        ArgumentNullException.ThrowIfNull(services);
        return services
            .AddSingleton<IFrostingLifetime, TLifetime>()
            .AddSingleton<IFrostingSetup>(provider => provider.GetRequiredService<IFrostingLifetime>())
            .AddSingleton<IFrostingTeardown>(provider => provider.GetRequiredService<IFrostingLifetime>());
    }

    /// <summary>Sets what is done before the first task; the last one counts.</summary>
    /// <typeparam name="TSetup">The setup's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseSetup<TSetup>(this IServiceCollection services)
        where TSetup : class, IFrostingSetup
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IFrostingSetup, TSetup>();
    }

    /// <summary>Sets what is done after the last task; the last one counts.</summary>
    /// <typeparam name="TTeardown">The teardown's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseTeardown<TTeardown>(this IServiceCollection services)
        where TTeardown : class, IFrostingTeardown
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IFrostingTeardown, TTeardown>();
    }

    /// <summary>Sets what is done before and after each task; the last one counts.</summary>
    /// <typeparam name="TLifetime">The lifetime's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseTaskLifetime<TLifetime>(this IServiceCollection services)
        where TLifetime : class, IFrostingTaskLifetime
    {
        ArgumentNullException.ThrowIfNull(services);
        return services
            .AddSingleton<IFrostingTaskLifetime, TLifetime>()
            .AddSingleton<IFrostingTaskSetup>(provider => provider.GetRequiredService<IFrostingTaskLifetime>())
            .AddSingleton<IFrostingTaskTeardown>(provider => provider.GetRequiredService<IFrostingTaskLifetime>());
    }

    /// <summary>Sets what is done before each task; the last one counts.</summary>
    /// <typeparam name="TSetup">The setup's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseTaskSetup<TSetup>(this IServiceCollection services)
        where TSetup : class, IFrostingTaskSetup
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IFrostingTaskSetup, TSetup>();
    }

    /// <summary>Sets what is done after each task; the last one counts.</summary>
    /// <typeparam name="TTeardown">The teardown's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseTaskTeardown<TTeardown>(this IServiceCollection services)
        where TTeardown : class, IFrostingTaskTeardown
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IFrostingTaskTeardown, TTeardown>();
    }

    /// <summary>Adds the services of a Cake module.</summary>
    /// <typeparam name="TModule">The module's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseModule<TModule>(this IServiceCollection services)
        where TModule : ICakeModule, new()
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.UseModule(new TModule());
    }

    /// <summary>Adds a way to install the packages that hold tools.</summary>
    /// <typeparam name="TPackageInstaller">The installer's class.</typeparam>
    /// <param name="services">The host's services.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UsePackageInstaller<TPackageInstaller>(this IServiceCollection services)
        where TPackageInstaller : class, IPackageInstaller
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton<IPackageInstaller, TPackageInstaller>();
    }

    /// <summary>Installs a tool before the first task runs.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="uri">Its package, e.g. <c>dotnet:?package=X&amp;version=1.0.0</c>.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseTool(this IServiceCollection services, Uri uri)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(uri);
        return services.AddSingleton(new PackageReference(uri.OriginalString));
    }

    /// <summary>Sets the working directory; <c>--working</c> wins over it.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="path">A directory, relative to the one of the process.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseWorkingDirectory(this IServiceCollection services, DirectoryPath path)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(path);
        return services.AddSingleton(new WorkingDirectory(path));
    }

    /// <summary>Sets a value of Cake's configuration; <c>CAKE_</c> variables, cake.config and the command line win over it.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="key">Its key, e.g. <c>Paths_Tools</c>.</param>
    /// <param name="value">Its value.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseCakeSetting(this IServiceCollection services, string key, string value)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.AddSingleton(new CakeSetting(key, value));
    }

    /// <summary>Sets the directory that tools are installed to.</summary>
    /// <param name="services">The host's services.</param>
    /// <param name="toolPath">A directory.</param>
    /// <returns>The same services.</returns>
    public static IServiceCollection UseToolPath(this IServiceCollection services, DirectoryPath toolPath)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(toolPath);
        return services.UseCakeSetting("Paths_Tools", toolPath.FullPath);
    }
}
