using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Cake.K3s.Processes;
using Cake.K3s.Sandbox.ApiServer;
using Cake.K3s.Sandbox.Controllers;
using Cake.K3s.Sandbox.Controllers.Client;
using Cake.K3s.Sandbox.Engine;
using Cake.K3s.Sandbox.Node;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>What of the cluster runs inside the daemon: the Kubernetes API, the controllers and the node.</summary>
internal sealed class ClusterPart(
    SandboxDirectory directory,
    SandboxPorts ports,
    EngineConnection engine,
    IPNetwork services,
    ICommandRunner runner,
    ILoggerFactory loggers) : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private Running? _running;

    public async Task<PartStatus> CheckAsync(CancellationToken cancellationToken) => new(
        "kubernetes",
        await ProblemAsync(cancellationToken),
        "v1.34",
        string.Create(CultureInfo.InvariantCulture, $"https://127.0.0.1:{ports.Api}"),
        Environment.ProcessId);

    /// <summary>Starts the cluster unless it runs.</summary>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            _running ??= await StartAsync(cancellationToken);
            if (!File.Exists(directory.Kubeconfig))
            {
                PrivateFiles.Write(directory.Kubeconfig, _running.Credentials.Kubeconfig(ports.Api));
            }
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_running is { } running)
        {
            await running.Application.StopAsync();
            await running.Application.DisposeAsync();
        }

        _gate.Dispose();
    }

    private async Task<Running> StartAsync(CancellationToken cancellationToken)
    {
        // Pods reach the API at the bridge's address, people and tools at 127.0.0.1.
        IPAddress[] listeners = engine.IsPrivate ? [IPAddress.Loopback, engine.Gateway] : [IPAddress.Loopback];
        var credentials = ClusterCredentials.Open(directory, [.. listeners, ServiceAddress(1)], TimeProvider.System);
        var builder = DaemonHost.CreateBuilder(loggers);
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
            ServiceCidr = services.ToString(),
        });
        builder.Services.AddSingleton(new ClusterClient(InsideClient(credentials)));
        builder.Services.AddSingleton(runner);
        builder.Services.AddClusterControllers();
        builder.Services.AddNode(new NodeOptions
        {
            DockerEndpoint = new Uri(engine.DockerHost),
            StateDirectory = directory.Node,
            ClusterId = directory.Id,
            ApiEndpoint = new IPEndPoint(engine.Gateway, ports.Api),
            IngressPort = ports.Ingress,
            ServiceSubnet = services,
            DnsAddress = ServiceAddress(10),
            Firewall = engine.IsPrivate ? HostNetwork.Firewall(directory) : null,
        });
        File.Delete(directory.ApiSocket);
        var application = builder.Build();
        application.MapApiServer();
        await application.StartAsync(cancellationToken);
        PrivateFiles.Write(directory.Kubeconfig, credentials.Kubeconfig(ports.Api));
        return new Running(application, credentials);
    }

    // As in K3s: the first address is the API's, the tenth the DNS server's.
    private IPAddress ServiceAddress(byte last)
    {
        var bytes = services.BaseAddress.GetAddressBytes();
        bytes[3] = last;
        return new IPAddress(bytes);
    }

    private async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        if (_running is null)
        {
            return "it has not started";
        }

        using var client = InsideClient(_running.Credentials);
        using var response = await client.GetAsync("/healthz", cancellationToken);
        return response.IsSuccessStatusCode ? null : $"it answers {(int)response.StatusCode}";
    }

    private HttpClient InsideClient(ClusterCredentials credentials)
    {
        var client = UnixSocketHttp.Client(directory.ApiSocket, Timeout.InfiniteTimeSpan);
        client.DefaultRequestHeaders.UserAgent.ParseAdd("kube-controller-manager/v1.34");
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credentials.Token);
        return client;
    }

    private sealed record Running(WebApplication Application, ClusterCredentials Credentials);
}
