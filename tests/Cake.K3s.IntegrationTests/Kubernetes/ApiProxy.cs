using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using k8s;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>
/// Stands before a Kubernetes API on a free port of the loopback, logs in for whoever asks, and may disturb. Is also a registry with
/// nothing in it.
/// </summary>
internal sealed class ApiProxy : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    });

    private ApiProxy(WebApplication app) => _app = app;

    public Uri Address => new(_app.Urls.Single());

    /// <summary>Given a request and what lets it pass.</summary>
    public Func<HttpContext, Func<Task>, Task> Between { get; set; } = (_, pass) => pass();

    /// <summary>Before the API of a kubeconfig.</summary>
    public static Task<ApiProxy> StartAsync(string kubeconfig)
    {
        var configuration = KubernetesClientConfiguration.BuildConfigFromConfigFile(kubeconfig);
        return StartAsync(configuration.Host, configuration.AccessToken);
    }

    /// <summary>Before an API.</summary>
    public static async Task<ApiProxy> StartAsync(string server, string? token)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var proxy = new ApiProxy(app);
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var login = new Login(token);
        app.Run(async context =>
        {
            if (context.Request.Path.StartsWithSegments("/v2"))
            {
                context.Response.StatusCode = context.Request.Path == "/v2/" ? StatusCodes.Status200OK : StatusCodes.Status404NotFound;
                return;
            }

            context.Request.EnableBuffering();
            await proxy.Between(context, async () => await forwarder.SendAsync(context, server, proxy._http, ForwarderRequestConfig.Empty, login));
        });
        await app.StartAsync();
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _http.Dispose();
    }

    private sealed class Login(string? token) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext context, HttpRequestMessage request, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(context, request, destinationPrefix, cancellationToken);
            request.Headers.Host = null;
            if (token is not null)
            {
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }
        }
    }
}
