using Microsoft.Extensions.DependencyInjection;

namespace Cake.K3s.Hosting;

/// <summary>A service that is built when it is first asked for: tasks name what they use, and listing them builds nothing.</summary>
internal sealed class LazyService<T>(IServiceProvider services) : Lazy<T>(services.GetRequiredService<T>)
    where T : notnull;
