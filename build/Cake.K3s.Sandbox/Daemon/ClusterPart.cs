using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Sandbox.Controllers;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Sandbox.Node;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>What of the cluster runs inside the daemon: the Kubernetes API, the controllers and the node.</summary>
internal sealed class ClusterPart(SandboxDirectory directory, SandboxPorts ports, EngineConnection engine, ILoggerFactory loggers)
    : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private WebApplication? _application;

    public PartStatus Status => new(
        "kubernetes",
        _application is null ? "it has not started" : null,
        "v1.34",
        string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{ports.Api}"),
        Environment.ProcessId);

    /// <summary>Starts the cluster unless it runs.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _application ??= await StartAsync(cancellationToken);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_application is { } application)
        {
            await application.StopAsync();
            await application.DisposeAsync();
        }

        _gate.Dispose();
    }

    private async Task<WebApplication> StartAsync(CancellationToken cancellationToken)
    {
        // Pods reach the API at the bridge's address, people and tools at 127.0.0.1.
        IPAddress[] listeners = engine.IsPrivate ? [IPAddress.Loopback, engine.Gateway] : [IPAddress.Loopback];
        var credentials = ClusterCredentials.Open(directory, [.. listeners, IPAddress.Parse("10.43.0.1")], TimeProvider.System);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton(loggers);
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            foreach (var address in listeners)
            {
                kestrel.Listen(address, ports.Api, listener =>
                {
                    listener.Protocols = HttpProtocols.Http1AndHttp2;
                    listener.UseHttps(credentials.Server);
                });
            }

            // For the controllers and the node: they need no TLS to talk to their own process.
            kestrel.ListenUnixSocket(directory.ApiSocket);
        });
        builder.Services.AddApiServer(new ApiServerOptions
        {
            StateDirectory = directory.Cluster,
            Tokens = new Dictionary<string, ApiUser> { [credentials.Token] = ApiUser.Admin },
            CertificateAuthority = credentials.Authority,
        });
        builder.Services.AddSingleton(new ClusterClient(InsideClient(credentials)));
        builder.Services.AddClusterControllers();
        builder.Services.AddNode(new NodeOptions
        {
            DockerEndpoint = new Uri(engine.DockerHost),
            StateDirectory = directory.Node,
            ClusterId = directory.Id,
            ApiEndpoint = new IPEndPoint(engine.Gateway, ports.Api),
            IngressPort = ports.Ingress,
        });
        File.Delete(directory.ApiSocket);
        var application = builder.Build();
        application.MapApiServer();
        await application.StartAsync(cancellationToken);
        PrivateFiles.Write(directory.Kubeconfig, credentials.Kubeconfig(ports.Api));
        return application;
    }

    private HttpClient InsideClient(ClusterCredentials credentials)
    {
        var client = UnixSocketHttp.Client(directory.ApiSocket, Timeout.InfiniteTimeSpan);
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credentials.Token);
        return client;
    }
}
