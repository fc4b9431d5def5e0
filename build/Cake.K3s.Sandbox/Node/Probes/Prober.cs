using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Cake.K3s.Sandbox.Node.Engine;
using Docker.DotNet;
using k8s.Models;

namespace Cake.K3s.Sandbox.Node.Probes;

/// <summary>Carries out one probe, from the node straight to the pod, with the kubelet's words for what went wrong.</summary>
internal sealed class Prober(ContainerEngine engine) : IDisposable
{
    private const int LongestOutput = 10 * 1024;

    // As a kubelet: no proxy, certificates unchecked, a new connection each time.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        UseProxy = false,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.Zero,
        SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    public void Dispose() => _http.Dispose();

    public async Task<ProbeResult> ProbeAsync(V1Probe probe, V1Container container, string containerId, string podAddress, CancellationToken cancellationToken)
    {
        var limit = TimeSpan.FromSeconds(Math.Max(1, probe.TimeoutSeconds ?? 1));
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(limit);
        try
        {
            return probe switch
            {
                { HttpGet: { } http } => await HttpAsync(http, container, podAddress, timeout.Token),
                { TcpSocket: { } tcp } => await TcpAsync(tcp, container, podAddress, timeout.Token),
                { Exec: { } exec } => await ExecAsync(exec, containerId, timeout.Token),
                { Grpc: { } grpc } => await GrpcAsync(grpc, podAddress, timeout.Token),
                _ => ProbeResult.Pass,
            };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return ProbeResult.Fail(probe switch
            {
                { HttpGet: { } http } => $"Get \"{Url(http, container, podAddress)}\": context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
                { TcpSocket: { } tcp } => $"dial tcp {HostOf(tcp.Host, podAddress)}:{ContainerPorts.Resolve(tcp.Port, container)}: i/o timeout",
                { Exec: { } exec } => $"command timed out: \"{string.Join(' ', exec.Command ?? [])}\" timed out after {limit.TotalSeconds:0}s",
                _ => $"timeout: failed to connect service within {limit.TotalSeconds:0}s: context deadline exceeded",
            });
        }
    }

    /// <summary>A lifecycle hook's request; its answer does not matter beyond success.</summary>
    public Task<ProbeResult> GetAsync(V1HTTPGetAction http, V1Container container, string podAddress, CancellationToken cancellationToken) =>
        HttpAsync(http, container, podAddress, cancellationToken);

    private async Task<ProbeResult> HttpAsync(V1HTTPGetAction http, V1Container container, string podAddress, CancellationToken cancellationToken)
    {
        var url = Url(http, container, podAddress);
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.ConnectionClose = true;
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("kube-probe", "1.34"));
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("*/*"));
        foreach (var header in http.HttpHeaders ?? [])
        {
            request.Headers.Remove(header.Name);
            request.Headers.TryAddWithoutValidation(header.Name, header.Value);
        }

        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var code = (int)response.StatusCode;
            return code is >= 200 and < 400 ? ProbeResult.Pass : ProbeResult.Fail($"HTTP probe failed with statuscode: {code}");
        }
        catch (HttpRequestException e)
        {
            var reason = e.InnerException is SocketException socket ? $"dial tcp {new Uri(url).Authority}: connect: {Word(socket)}" : e.Message;
            return ProbeResult.Fail($"Get \"{url}\": {reason}");
        }
    }

    private static async Task<ProbeResult> TcpAsync(V1TCPSocketAction tcp, V1Container container, string podAddress, CancellationToken cancellationToken)
    {
        var host = HostOf(tcp.Host, podAddress);
        var port = ContainerPorts.Resolve(tcp.Port, container);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(host, port, cancellationToken);
            return ProbeResult.Pass;
        }
        catch (SocketException e)
        {
            return ProbeResult.Fail($"dial tcp {host}:{port}: connect: {Word(e)}");
        }
    }

    private async Task<ProbeResult> ExecAsync(V1ExecAction exec, string containerId, CancellationToken cancellationToken)
    {
        try
        {
            var (code, output) = await engine.ExecAsync(containerId, [.. exec.Command ?? []], cancellationToken);
            return code == 0 ? ProbeResult.Pass : ProbeResult.Fail(output.Length > LongestOutput ? output[..LongestOutput] : output);
        }
        catch (DockerApiException e)
        {
            return ProbeResult.Fail(EngineError.Message(e));
        }
    }

    private async Task<ProbeResult> GrpcAsync(V1GRPCAction grpc, string podAddress, CancellationToken cancellationToken)
    {
        // grpc.health.v1.Health/Check: field 1 of the request is the service, field 1 of the answer the status, 1 is SERVING.
        var service = Encoding.UTF8.GetBytes(grpc.Service ?? "");
        byte[] message = service.Length == 0 ? [] : [0x0A, (byte)service.Length, .. service];
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{podAddress}:{grpc.Port}/grpc.health.v1.Health/Check")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent([0, 0, 0, 0, (byte)message.Length, .. message]),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        try
        {
            using var response = await _http.SendAsync(request, cancellationToken);
            var answer = await response.Content.ReadAsByteArrayAsync(cancellationToken);
            return answer is [0, _, _, _, _, 0x08, 1, ..] ? ProbeResult.Pass : ProbeResult.Fail("service unhealthy (responded with \"NOT_SERVING\")");
        }
        catch (HttpRequestException e)
        {
            return ProbeResult.Fail($"error: {e.Message}");
        }
    }

    private static string Url(V1HTTPGetAction http, V1Container container, string podAddress)
    {
        var scheme = (http.Scheme ?? "HTTP").ToLowerInvariant();
        var path = http.Path ?? "/";
        return $"{scheme}://{HostOf(http.Host, podAddress)}:{ContainerPorts.Resolve(http.Port, container)}{(path.StartsWith('/') ? path : "/" + path)}";
    }

    private static string HostOf(string? host, string podAddress) => string.IsNullOrEmpty(host) ? podAddress : host;

    private static string Word(SocketException e) => e.SocketErrorCode switch
    {
        SocketError.ConnectionRefused => "connection refused",
        SocketError.HostUnreachable => "no route to host",
        SocketError.NetworkUnreachable => "network is unreachable",
        SocketError.ConnectionReset => "connection reset by peer",
        _ => e.Message,
    };
}
