using System.Net;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Tests.Edge;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>The sandbox's Kubernetes API on a free port of loopback, in this process, without controllers or nodes.</summary>
internal sealed class ApiHost : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly DirectoryInfo _state;

    private ApiHost(WebApplication app, DirectoryInfo state)
    {
        _app = app;
        _state = state;
    }

    /// <summary>The API's address.</summary>
    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());

    /// <summary>Starts the API.</summary>
    /// <param name="faults">Stands between the caller and the API; null for nothing.</param>
    /// <param name="tokens">The tokens that are accepted; null lets everybody in.</param>
    public static async Task<ApiHost> StartAsync(
        Func<HttpContext, RequestDelegate, Task>? faults = null, IReadOnlyDictionary<string, ApiUser>? tokens = null)
    {
        var state = Directory.CreateTempSubdirectory("api-host-");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        var options = new ApiServerOptions { StateDirectory = state.FullName };
        builder.Services.AddApiServer(tokens is null ? options : options with { Tokens = tokens });
        var app = builder.Build();
        if (faults is not null)
        {
            app.Use(next => context => faults(context, next));
        }

        app.MapApiServer();
        await app.StartAsync();
        return new(app, state);
    }

    /// <summary>A client; its retries take next to no time.</summary>
    public ClusterApi Open(string namespaceName = "shop", TimeSpan? firstAttempt = null) => new(
        new SocketsHttpHandler(),
        Address,
        namespaceName,
        retry: new() { FirstDelay = TimeSpan.FromMilliseconds(5), LongestDelay = TimeSpan.FromMilliseconds(100), FirstAttempt = firstAttempt ?? TimeSpan.FromSeconds(30) });

    /// <summary>The client of a process that a fault meets; it repeats a request once.</summary>
    public ClusterApi Open(Faults faults) => new(
        faults.Before(new SocketsHttpHandler()),
        Address,
        "shop",
        retry: new() { Repetitions = 1, FirstDelay = TimeSpan.FromMilliseconds(1), LongestDelay = TimeSpan.FromMilliseconds(5) });

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _state.Delete(recursive: true);
    }
}
