using System.Net;
using Cake.K3s.Hardening.Nodes.CloudflareOnly;
using Cake.K3s.Reporting;
using Cake.K3s.Tests.Hardening.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cake.K3s.IntegrationTests.Nodes;

/// <summary>A server on this machine that answers for Cloudflare's API, with whatever a test wants it to.</summary>
internal sealed class CloudflareServer : IAsyncDisposable
{
    private readonly WebApplication _app;

    private CloudflareServer(WebApplication app) => _app = app;

    /// <summary>What it answers.</summary>
    public string Answer { get; set; } = CloudflareAnswer.Text;

    public static async Task<CloudflareServer> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var server = new CloudflareServer(builder.Build());
        server._app.MapGet(CloudflareRangeSource.Address.AbsolutePath, context => context.Response.WriteAsync(server.Answer));
        await server._app.StartAsync();
        return server;
    }

    /// <summary>The ranges as it tells them, with the last good ones in a directory.</summary>
    public CloudflareRangeSource Source(string directory, IReporter reporter) => new(
        new HttpClient(new Here(new Uri(_app.Urls.First()))),
        Path.Combine(directory, CloudflareRangeSource.FileName),
        reporter);

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private sealed class Here(Uri server) : DelegatingHandler(new SocketsHttpHandler())
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new Uri(server, request.RequestUri!.PathAndQuery);
            return base.SendAsync(request, cancellationToken);
        }
    }
}
