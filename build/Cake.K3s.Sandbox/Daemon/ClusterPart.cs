using System.Globalization;
using System.Net;
using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Sandbox.Engine;
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
        });
        builder.Services.AddApiServer(new ApiServerOptions
        {
            StateDirectory = directory.Cluster,
            Tokens = new Dictionary<string, ApiUser> { [credentials.Token] = ApiUser.Admin },
            CertificateAuthority = credentials.Authority,
        });
        var application = builder.Build();
        application.MapApiServer();
        await application.StartAsync(cancellationToken);
        PrivateFiles.Write(directory.Kubeconfig, credentials.Kubeconfig(ports.Api));
        return application;
    }
}
