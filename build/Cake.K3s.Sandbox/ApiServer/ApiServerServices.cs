using Cake.K3s.Sandbox.ApiServer.Access;
using Cake.K3s.Sandbox.ApiServer.Admission;
using Cake.K3s.Sandbox.ApiServer.Admission.Policies;
using Cake.K3s.Sandbox.ApiServer.CustomResources;
using Cake.K3s.Sandbox.ApiServer.Discovery;
using Cake.K3s.Sandbox.ApiServer.FieldOwnership;
using Cake.K3s.Sandbox.ApiServer.Http;
using Cake.K3s.Sandbox.ApiServer.Lifecycle;
using Cake.K3s.Sandbox.ApiServer.OpenApi;
using Cake.K3s.Sandbox.ApiServer.Pods;
using Cake.K3s.Sandbox.ApiServer.Printing;
using Cake.K3s.Sandbox.ApiServer.Reading;
using Cake.K3s.Sandbox.ApiServer.Resources;
using Cake.K3s.Sandbox.ApiServer.Storage;
using Cake.K3s.Sandbox.ApiServer.Subresources;
using Cake.K3s.Sandbox.ApiServer.Writing;

namespace Cake.K3s.Sandbox.ApiServer;

/// <summary>Puts the Kubernetes API into an ASP.NET Core host.</summary>
internal static class ApiServerServices
{
    /// <summary>Adds the API server; <see cref="MapApiServer"/> gives it its paths.</summary>
    public static IServiceCollection AddApiServer(this IServiceCollection services, ApiServerOptions options)
    {
        services.AddSingleton(options);
        services.AddSingleton<ResourceCatalog>();
        services.AddSingleton<ObjectStore>();
        services.AddSingleton<ServiceAddresses>();
        services.AddSingleton<ResourceQuotas>();
        services.AddSingleton<LimitRanges>();
        services.AddSingleton<PriorityClasses>();
        services.AddSingleton<AdmissionPolicies>();
        services.AddSingleton<AdmissionChain>();
        services.AddSingleton<ObjectWriter>();
        services.AddSingleton<OwnershipTracker>();
        services.AddSingleton<ObjectPatcher>();
        services.AddSingleton<ObjectDeleter>();
        services.AddSingleton<ListReader>();
        services.AddSingleton<TablePrinter>();
        services.AddSingleton<WatchStreamer>();
        services.AddSingleton<DiscoveryDocuments>();
        services.AddSingleton<OpenApiDocuments>();
        services.AddSingleton<ServiceAccountTokens>();
        services.AddSingleton<Authenticator>();
        services.AddSingleton<Authorizer>();
        services.AddSingleton<Impersonation>();
        services.AddSingleton<RoleEscalation>();
        services.AddSingleton<AccessReviews>();
        services.AddSingleton<PodRequests>();
        services.AddSingleton<Evictions>();
        services.AddSingleton<Bindings>();
        services.AddSingleton<SubresourceRequests>();
        services.AddSingleton<ObjectRequests>();
        services.AddSingleton<ApiHandler>();
        services.AddHostedService<BootstrapRoles>();
        services.AddHostedService<DefinitionController>();
        services.AddHostedService<NamespaceLifecycle>();
        services.AddHostedService<GarbageCollector>();
        services.AddHostedService<QuotaStatus>();
        return services;
    }

    /// <summary>Maps <c>/api</c>, <c>/apis</c>, <c>/openapi</c>, <c>/version</c> and the health paths.</summary>
    public static IEndpointRouteBuilder MapApiServer(this IEndpointRouteBuilder endpoints)
    {
        var handler = endpoints.ServiceProvider.GetRequiredService<ApiHandler>();
        var pipeline = endpoints.CreateApplicationBuilder();
        pipeline.UseWebSockets();
        pipeline.Run(handler.HandleAsync);
        var answer = pipeline.Build();
        foreach (var path in (string[])["/api/{**rest}", "/apis/{**rest}", "/openapi/{**rest}", "/version", "/healthz", "/livez", "/readyz"])
        {
            endpoints.Map(path, answer);
        }

        return endpoints;
    }
}
