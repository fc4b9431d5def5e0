using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using Cake.K3s.Environments;
using Cake.K3s.Reporting;
using k8s;
using k8s.Exceptions;
using YamlDotNet.Core;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>Opens the API of a cluster from a kubeconfig, once a run for each; checks that it answers and accepts the credentials.</summary>
public sealed class ClusterConnector : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(6);

    private readonly IReporter _reporter;
    private readonly TimeProvider _time;
    private readonly ConcurrentDictionary<ClusterConnection, Lazy<Task<ClusterApi>>> _open = new();

    /// <summary>Made by the composition root.</summary>
    public ClusterConnector(IReporter reporter, TimeProvider time)
    {
        _reporter = reporter;
        _time = time;
    }

    /// <summary>The API of a cluster; the same one for each caller, disposed of with the connector.</summary>
    /// <exception cref="K3sException">
    /// The kubeconfig is missing or wrong, its certificate has expired, or the API refuses it (exit code 2); the API does not answer
    /// within 6 s (exit code 1).
    /// </exception>
    public async Task<ClusterApi> OpenAsync(ClusterConnection connection, CancellationToken cancellationToken)
    {
        var opening = _open.GetOrAdd(connection, key => new(() => ConnectAsync(key, cancellationToken)));
        try
        {
            return await opening.Value.WaitAsync(cancellationToken);
        }
        catch
        {
            // The next caller may have more luck.
            _open.TryRemove(KeyValuePair.Create(connection, opening));
            throw;
        }
    }

    /// <summary>Closes what was opened.</summary>
    public void Dispose()
    {
        foreach (var opening in _open.Values.Where(opening => opening.IsValueCreated && opening.Value.IsCompletedSuccessfully))
        {
            opening.Value.Result.Dispose();
        }
    }

    private async Task<ClusterApi> ConnectAsync(ClusterConnection connection, CancellationToken cancellationToken)
    {
        var (configuration, certificate) = Read(connection);
        var api = Open(configuration, certificate, connection);
        try
        {
            using var timeout = new CancellationTokenSource(Limit, _time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
            try
            {
                // Whoever opens a cluster needs to know its types; and unlike /version they are for known users alone.
                await api.ResourcesAsync(either.Token);
                return api;
            }
            catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                throw new ClusterUnreachableException(
                    "open the cluster", api.Server, $"no answer within {Limit.TotalSeconds} s; {api.Retries}", e);
            }
            catch (KubernetesApiException e) when (e.StatusCode is HttpStatusCode.Unauthorized)
            {
                throw new K3sException(
                    ExitCodes.BadInput,
                    $"the Kubernetes API at {api.Server.GetLeftPart(UriPartial.Authority)} does not accept the credentials of "
                    + $"context '{configuration.CurrentContext}' in {connection.Kubeconfig}: {e.ApiMessage}",
                    "put a valid token or certificate into the kubeconfig",
                    innerException: e);
            }
            catch (KubernetesApiException e) when (e.StatusCode is HttpStatusCode.Forbidden)
            {
                // It answers and knows the user, who may do other things than this.
                return api;
            }
        }
        catch
        {
            api.Dispose();
            throw;
        }
    }

    private ClusterApi Open(KubernetesClientConfiguration configuration, X509Certificate2? certificate, ClusterConnection connection)
    {
        var server = new Uri(configuration.Host);
        var handler = HandlerOf(configuration, certificate, server);
        var warned = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        return new(
            new CredentialsHandler(k8s.Kubernetes.CreateCredentials(configuration), handler),
            server,
            connection.Namespace,
            _time,
            warn: text =>
            {
                if (warned.TryAdd(text, true))
                {
                    _reporter.Warning("cluster", text);
                }
            },
            connection: handler);
    }

    /// <summary>
    /// Sends requests as the kubeconfig says. KubernetesClient's own client would do that as well, but makes itself ready first to
    /// read every type that it knows.
    /// </summary>
    private static SocketsHttpHandler HandlerOf(KubernetesClientConfiguration configuration, X509Certificate2? certificate, Uri server)
    {
        var handler = new SocketsHttpHandler
        {
            ConnectTimeout = TimeSpan.FromSeconds(5),
            EnableMultipleHttp2Connections = true,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(15),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(10),
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2),

            // Compressing for the loopback interface costs more than it saves.
            AutomaticDecompression = server.IsLoopback ? DecompressionMethods.None : DecompressionMethods.GZip,
        };
        if (configuration.TlsServerName is { Length: > 0 } name)
        {
            handler.SslOptions.TargetHost = name;
        }

        if (configuration.SkipTlsVerify)
        {
            handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        }
        else if (configuration.SslCaCerts is { Count: > 0 } authorities)
        {
            var policy = new X509ChainPolicy { TrustMode = X509ChainTrustMode.CustomRootTrust, RevocationMode = X509RevocationMode.NoCheck };
            policy.CustomTrustStore.AddRange(authorities);
            handler.SslOptions.CertificateChainPolicy = policy;
        }

        if (certificate is not null)
        {
            handler.SslOptions.ClientCertificates = [certificate];
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => certificate;
        }

        return handler;
    }

    private (KubernetesClientConfiguration, X509Certificate2?) Read(ClusterConnection connection)
    {
        var file = new FileInfo(connection.Kubeconfig);
        if (!file.Exists)
        {
            throw Bad(connection, "there is no such file", "create it, or correct the environment's cluster.kubeconfig in deploy.yaml");
        }

        try
        {
            var contents = KubeconfigFile.Read(file.FullName);
            if (connection.Context is { } context && contents.Contexts?.Any(candidate => candidate.Name == context) != true)
            {
                var names = string.Join(", ", (contents.Contexts ?? []).Select(candidate => candidate.Name));
                throw Bad(connection, $"there is no context '{context}'; there are: {names}", "correct the environment's cluster.context in deploy.yaml");
            }

            var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(contents, connection.Context);
            return (configuration, CertificateOf(connection, configuration));
        }
        catch (Exception e) when (e is KubeConfigException or YamlException or FormatException or IOException or UnauthorizedAccessException
            or System.Security.Cryptography.CryptographicException)
        {
            throw Bad(connection, e.Message, "correct the file", e);
        }
    }

    /// <summary>The client's certificate with its key; null for a user without.</summary>
    private X509Certificate2? CertificateOf(ClusterConnection connection, KubernetesClientConfiguration configuration)
    {
        if (Pem(configuration.ClientCertificateData, configuration.ClientCertificateFilePath) is not { } pem)
        {
            return null;
        }

        using var certificate = X509Certificate2.CreateFromPem(pem);
        var now = _time.GetUtcNow();
        if (certificate.NotAfter.ToUniversalTime() < now)
        {
            throw Bad(
                connection,
                $"its client certificate expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC",
                "K3s renews its own in /etc/rancher/k3s/k3s.yaml at a restart (systemctl restart k3s): copy that file again");
        }

        // Some systems take the key of a certificate for TLS only from a container such as PKCS #12.
        using var withKey = X509Certificate2.CreateFromPem(pem, Pem(configuration.ClientCertificateKeyData, configuration.ClientKeyFilePath));
        return X509CertificateLoader.LoadPkcs12(withKey.Export(X509ContentType.Pkcs12), null);
    }

    private static string? Pem(string? data, string? file) =>
        data is { Length: > 0 } ? System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data))
        : file is { Length: > 0 } ? File.ReadAllText(file)
        : null;

    private static K3sException Bad(ClusterConnection connection, string why, string nextStep, Exception? inner = null) =>
        new(ExitCodes.BadInput, $"kubeconfig {connection.Kubeconfig}: {why}", nextStep, innerException: inner);
}
