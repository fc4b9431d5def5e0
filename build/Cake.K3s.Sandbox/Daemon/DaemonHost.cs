namespace Cake.K3s.Sandbox.Daemon;

/// <summary>The web hosts inside the daemon.</summary>
internal static class DaemonHost
{
    /// <summary>A builder with Kestrel, routing and the daemon's log, and nothing else.</summary>
    /// <remarks>
    /// The usual builders read appsettings.json and environment variables, watch the whole tree below the current directory for
    /// changes, and end the host on SIGTERM: none of it is wanted here.
    /// </remarks>
    public static WebApplicationBuilder CreateBuilder(ILoggerFactory loggers)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.WebHost.UseKestrelCore();
        builder.Services.AddRouting();
        builder.Services.AddSingleton(loggers);
        return builder;
    }
}
