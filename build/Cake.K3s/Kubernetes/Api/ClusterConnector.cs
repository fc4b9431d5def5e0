using System.Collections.Concurrent;
using System.Net;
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
        var configuration = await ReadAsync(connection);
        var api = Open(configuration, connection);
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

    private ClusterApi Open(KubernetesClientConfiguration configuration, ClusterConnection connection)
    {
        SocketsHttpHandler? sockets = null;
        configuration.FirstMessageHandlerSetup = handler =>
        {
            sockets = handler;
            handler.ConnectTimeout = TimeSpan.FromSeconds(5);
            handler.KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests;
            handler.KeepAlivePingDelay = TimeSpan.FromSeconds(15);
            handler.KeepAlivePingTimeout = TimeSpan.FromSeconds(10);
            handler.PooledConnectionIdleTimeout = TimeSpan.FromMinutes(2);
            if (configuration.TlsServerName is { Length: > 0 } name)
            {
                handler.SslOptions.TargetHost = name;
            }

            // Compressing for the loopback interface costs more than it saves.
            if (!new Uri(configuration.Host).IsLoopback)
            {
                handler.AutomaticDecompression = DecompressionMethods.GZip;
            }
        };

        var client = new k8s.Kubernetes(configuration);
        var warned = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        return new(
            new CredentialsHandler(client.Credentials, sockets!),
            client.BaseUri,
            connection.Namespace,
            _time,
            warn: text =>
            {
                if (warned.TryAdd(text, true))
                {
                    _reporter.Warning("cluster", text);
                }
            },
            connection: client);
    }

    private async Task<KubernetesClientConfiguration> ReadAsync(ClusterConnection connection)
    {
        var file = new FileInfo(connection.Kubeconfig);
        if (!file.Exists)
        {
            throw Bad(connection, "there is no such file", "create it, or correct the environment's cluster.kubeconfig in deploy.yaml");
        }

        try
        {
            var contents = await KubeconfigFile.ReadAsync(file.FullName);
            if (connection.Context is { } context && contents.Contexts?.Any(candidate => candidate.Name == context) != true)
            {
                var names = string.Join(", ", (contents.Contexts ?? []).Select(candidate => candidate.Name));
                throw Bad(connection, $"there is no context '{context}'; there are: {names}", "correct the environment's cluster.context in deploy.yaml");
            }

            var configuration = KubernetesClientConfiguration.BuildConfigFromConfigObject(contents, connection.Context);
            CheckCertificate(connection, configuration);
            return configuration;
        }
        catch (Exception e) when (e is KubeConfigException or YamlException or FormatException or IOException or UnauthorizedAccessException
            or System.Security.Cryptography.CryptographicException)
        {
            throw Bad(connection, e.Message, "correct the file", e);
        }
    }

    private void CheckCertificate(ClusterConnection connection, KubernetesClientConfiguration configuration)
    {
        var pem = configuration.ClientCertificateData is { Length: > 0 } data
            ? System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(data))
            : configuration.ClientCertificateFilePath is { Length: > 0 } path ? File.ReadAllText(path) : null;
        if (pem is null)
        {
            return;
        }

        using var certificate = System.Security.Cryptography.X509Certificates.X509Certificate2.CreateFromPem(pem);
        var now = _time.GetUtcNow();
        if (certificate.NotAfter.ToUniversalTime() < now)
        {
            throw Bad(
                connection,
                $"its client certificate expired on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd HH:mm} UTC",
                "K3s renews its own in /etc/rancher/k3s/k3s.yaml at a restart (systemctl restart k3s): copy that file again");
        }
    }

    private static K3sException Bad(ClusterConnection connection, string why, string nextStep, Exception? inner = null) =>
        new(ExitCodes.BadInput, $"kubeconfig {connection.Kubeconfig}: {why}", nextStep, innerException: inner);
}
