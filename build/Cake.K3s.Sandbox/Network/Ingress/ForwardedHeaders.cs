using System.Globalization;
using Yarp.ReverseProxy.Forwarder;

namespace Cake.K3s.Sandbox.Network.Ingress;

/// <summary>Keeps the host and tells the application about the client, with the headers that Traefik sets.</summary>
internal sealed class ForwardedHeaders : HttpTransformer
{
    public static ForwardedHeaders Instance { get; } = new();

    public override async ValueTask TransformRequestAsync(
        HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
    {
        await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
        var request = httpContext.Request;
        var client = httpContext.Connection.RemoteIpAddress?.ToString() ?? "";
        proxyRequest.Headers.Host = request.Host.Value;
        Set(proxyRequest, "X-Forwarded-For", client);
        Set(proxyRequest, "X-Real-Ip", client);
        Set(proxyRequest, "X-Forwarded-Host", request.Host.Value ?? "");
        Set(proxyRequest, "X-Forwarded-Proto", request.Scheme);
        Set(proxyRequest, "X-Forwarded-Port", (request.Host.Port ?? 80).ToString(CultureInfo.InvariantCulture));
        Set(proxyRequest, "X-Forwarded-Server", "sandbox");
    }

    private static void Set(HttpRequestMessage request, string name, string value)
    {
        request.Headers.Remove(name);
        request.Headers.TryAddWithoutValidation(name, value);
    }
}
