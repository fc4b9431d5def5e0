using System.Net;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Node;
using k8s.Models;
using Yarp.ReverseProxy.Forwarder;

namespace Cake.K3s.Sandbox.Network.Ingress;

/// <summary>
/// Answers for the hosts of Ingresses on a loopback port and passes requests on to ready endpoints of their Services, as Traefik does
/// in K3s. A request that no endpoint has begun to answer goes to the next one.
/// </summary>
internal sealed class IngressServer : BackgroundService
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(1);
    private readonly NodeOptions _options;
    private readonly ILogger<IngressServer> _logger;
    private readonly Informer<V1Ingress> _ingresses;
    private readonly Informer<V1Service> _services;
    private readonly ServiceEndpoints _endpoints;
    private readonly IngressMiddlewares _middlewares;
    private readonly HttpMessageInvoker _client = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = ConnectTimeout,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
    });

    private volatile IReadOnlyList<IngressRoute> _routes = [];
    private uint _turn;

    public IngressServer(NodeOptions options, ClusterCache cache, ServiceEndpoints endpoints, IngressMiddlewares middlewares, ILogger<IngressServer> logger)
    {
        (_options, _endpoints, _middlewares, _logger) = (options, endpoints, middlewares, logger);
        _ingresses = cache.Of<V1Ingress>();
        _services = cache.Of<V1Service>();
        _ingresses.Changed += (_, _) => _routes = [.. _ingresses.Items.Where(ingress => ingress.Metadata.DeletionTimestamp is null).SelectMany(IngressRoute.Of)];
    }

    public override void Dispose()
    {
        _client.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_options.IngressPort == 0)
        {
            return;
        }

        // A host of its own: the paths of the API must not answer here.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Listen(IPAddress.Loopback, _options.IngressPort);
        });
        builder.Services.AddHttpForwarder();
        await using var application = builder.Build();
        var forwarder = application.Services.GetRequiredService<IHttpForwarder>();
        application.Run(context => ForwardAsync(context, forwarder));
        try
        {
            await application.StartAsync(stoppingToken);
        }
        catch (IOException e)
        {
            _logger.LogError("Ingresses are not served: {Reason}", e.Message);
            return;
        }

        await _middlewares.RunAsync(stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await application.StopAsync(CancellationToken.None);
    }

    private async Task ForwardAsync(HttpContext context, IHttpForwarder forwarder)
    {
        var request = context.Request;
        if (IngressRoute.Choose(_routes, request.Host.Host, request.Path.Value ?? "/") is not { } route || PortName(route) is not { } port)
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "404 page not found\n");
            return;
        }

        if (!await _middlewares.PassAsync(context, route.Middlewares))
        {
            return;
        }

        var endpoints = _endpoints.Of(route.Service, port);
        if (endpoints.Count == 0)
        {
            await AnswerAsync(context, StatusCodes.Status503ServiceUnavailable, "no available server\n");
            return;
        }

        var first = Interlocked.Increment(ref _turn);
        for (var i = 0; i < endpoints.Count; i++)
        {
            var endpoint = endpoints[(int)((first + i) % endpoints.Count)];
            var error = await forwarder.SendAsync(context, $"http://{endpoint}", _client, ForwarderRequestConfig.Empty, ForwardedHeaders.Instance);
            if (error == ForwarderError.None || context.Response.HasStarted || context.RequestAborted.IsCancellationRequested || !MayRepeat(context, error))
            {
                break;
            }

            context.Response.Clear();
        }

        if (!context.Response.HasStarted && context.GetForwarderErrorFeature() is { } failure)
        {
            _logger.LogDebug(failure.Exception, "No endpoint of {Service} answered", route.Service);
            await AnswerAsync(
                context,
                failure.Error == ForwarderError.RequestTimedOut ? StatusCodes.Status504GatewayTimeout : StatusCodes.Status502BadGateway,
                failure.Error == ForwarderError.RequestTimedOut ? "Gateway Timeout" : "Bad Gateway");
        }
    }

    /// <summary>Nothing was sent, or sending it twice does no harm.</summary>
    private static bool MayRepeat(HttpContext context, ForwarderError error)
    {
        if (error is not (ForwarderError.Request or ForwarderError.RequestTimedOut))
        {
            return false;
        }

        // A pod that is gone altogether does not refuse: connecting to it takes longer than may be.
        var unsent = context.GetForwarderErrorFeature()?.Exception
            is HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError } or OperationCanceledException { InnerException: TimeoutException };
        return unsent || HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method) || HttpMethods.IsOptions(context.Request.Method);
    }

    private string? PortName(IngressRoute route) => _services.Find(route.Service)?.Spec.Ports?
        .FirstOrDefault(port => $"{port.Port}" == route.Port || port.Name == route.Port) is { } found ? found.Name ?? "" : null;

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }
}
