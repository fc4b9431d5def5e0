using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Cake.K3s.Hardening.Edge.OriginTls;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.IntegrationTests.Hardening.Edge;

/// <summary>
/// Stands in for Traefik on a node: answers TLS on a free port of loopback by the Ingresses, Secrets and TLSOptions that are in the
/// cluster at that moment, and asks for client certificates as they say.
/// </summary>
internal sealed class OriginListener : IAsyncDisposable
{
    private static readonly GroupVersionKind IngressType = new("networking.k8s.io", "v1", "Ingress");
    private static readonly KeyPair Default = KeyPair.NewClient("TRAEFIK DEFAULT CERT", DateTimeOffset.UtcNow, 10);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ClusterApi _api;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _serving;

    public OriginListener(ClusterApi api)
    {
        _api = api;
        _listener.Start();
        Address = $"127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _serving = Task.Run(ServeAsync);
    }

    public string Address { get; }

    /// <summary>Shows Traefik's default certificate whatever is in the cluster.</summary>
    public bool IsStale { get; set; }

    /// <summary>The names that were asked for.</summary>
    public HashSet<string> Asked { get; } = [];

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _serving;
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                await AnswerAsync(client);
            }
            catch (Exception ended) when (ended is IOException or AuthenticationException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The next one.
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsServerAsync(async (_, hello, _, _) => await OptionsAsync(hello.ServerName), null, _stop.Token);
        var request = new byte[1024];
        if (await tls.ReadAsync(request, _stop.Token) > 0)
        {
            await tls.WriteAsync(Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"), _stop.Token);
        }
    }

    private async ValueTask<SslServerAuthenticationOptions> OptionsAsync(string host)
    {
        Asked.Add(host);
        var ingress = (await _api.ListAsync(IngressType, "shop", null, default)).Items.FirstOrDefault(candidate => HostNames.Of(candidate).Contains(host));
        var secret = ingress.Objects("spec", "tls").FirstOrDefault()?.Text("secretName");
        var pair = IsStale || secret is null ? null : OriginTlsObjects.PairOf(await SecretAsync(secret));
        var option = ingress.Annotation("traefik.ingress.kubernetes.io/router.tls.options") == "shop-origin-pulls@kubernetescrd"
            ? await _api.GetAsync(new(OriginTlsObjects.OptionsType, "shop", "origin-pulls"), default)
            : null;
        var required = option.Text("spec", "clientAuth", "clientAuthType");
        var authority = option is null ? null : OriginTlsObjects.PairOf(await SecretAsync("origin-pulls"))!.Authority;
        return new()
        {
            ServerCertificate = (pair ?? Default).Open(),
            ClientCertificateRequired = authority is not null,
            RemoteCertificateValidationCallback = (_, shown, _, _) => authority is null || (shown is null ? required == "VerifyClientCertIfGiven" : IsBy(authority, (X509Certificate2)shown)),
        };
    }

    private Task<System.Text.Json.Nodes.JsonObject?> SecretAsync(string name) => _api.GetAsync(new(new("", "v1", "Secret"), "shop", name), default);

    private static bool IsBy(string authority, X509Certificate2 certificate)
    {
        using var root = X509Certificate2.CreateFromPem(authority);
        using var chain = new X509Chain
        {
            ChainPolicy = { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck },
        };
        chain.ChainPolicy.CustomTrustStore.Add(root);
        return chain.Build(certificate);
    }
}
