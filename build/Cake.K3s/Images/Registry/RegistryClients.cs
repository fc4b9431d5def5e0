using Cake.K3s.Environments;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images.Registry;

/// <summary>Makes registry clients.</summary>
internal sealed class RegistryClients(DockerCredentials credentials, ISecretMask mask, IReporter reporter, TimeProvider time)
{
    /// <summary>How often a request is tried.</summary>
    public RetryTimes Retries { get; init; } = RetryTimes.Default;

    /// <summary>A client of a registry; credentials are looked for when the registry asks for them.</summary>
    /// <param name="registry">The registry.</param>
    /// <param name="chunkSize">The largest body of one upload request, in bytes.</param>
    public RegistryClient Open(RegistryConnection registry, long chunkSize = RegistryClient.DefaultChunkSize)
    {
        var http = Http(registry);
        return new(http, Transport(registry, http, basicAtOnce: false), chunkSize);
    }

    /// <summary>The package API of the Gitea that the registry belongs to; null if it is no Gitea's.</summary>
    public async Task<GiteaPackages?> FindGiteaAsync(RegistryConnection registry, CancellationToken cancellationToken)
    {
        var http = Http(registry);
        try
        {
            var transport = Transport(registry, http, basicAtOnce: true);
            if (await GiteaPackages.FindVersionAsync(transport, cancellationToken) is { } version)
            {
                var packages = new GiteaPackages(http, transport, version);
                http = null;
                return packages;
            }

            return null;
        }
        finally
        {
            http?.Dispose();
        }
    }

    private static HttpClient Http(RegistryConnection registry)
    {
        var http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxConnectionsPerServer = 16,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
            UseCookies = false,
            SslOptions = new() { RemoteCertificateValidationCallback = registry.CertificateAuthority is { } authority ? new OwnAuthority(authority).Accepts : null },
        })
        {
            BaseAddress = BaseAddress(registry),
            Timeout = Timeout.InfiniteTimeSpan,
        };
        http.DefaultRequestHeaders.UserAgent.ParseAdd("cake-k3s");
        return http;
    }

    private RegistryTransport Transport(RegistryConnection registry, HttpClient http, bool basicAtOnce)
    {
        var authentication = new RegistryAuthentication(
            registry.Host,
            token => credentials.FindAsync(registry.DockerConfig, registry.Host, token),
            http,
            mask,
            time)
        {
            BasicAtOnce = basicAtOnce,
        };
        return new(registry.Host, http, authentication, reporter, time, Retries);
    }

    private static Uri BaseAddress(RegistryConnection registry) =>
        new($"{(registry.Insecure ? "http" : "https")}://{(registry.Host == "docker.io" ? "registry-1.docker.io" : registry.Host)}/");
}
