using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Uptime;

/// <summary>Looks once, from this machine.</summary>
internal sealed class UptimeProbe(TimeProvider time)
{
    /// <summary>What is wrong with an address; null where nothing is.</summary>
    public async Task<string?> WrongAsync(UptimeCheck check, CancellationToken cancellationToken)
    {
        DateTimeOffset? ends = null;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            ConnectCallback = ConnectAsync,
            SslOptions =
            {
                RemoteCertificateValidationCallback = (_, certificate, _, errors) =>
                {
                    ends = certificate is System.Security.Cryptography.X509Certificates.X509Certificate2 known ? known.NotAfter.ToUniversalTime() : null;
                    return errors == SslPolicyErrors.None;
                },
            },
        };
        using var http = new HttpClient(handler) { Timeout = check.Limit.Value };
        try
        {
            using var response = await http.GetAsync(new Uri(check.Url), cancellationToken);
            var body = check.Contains is null ? "" : await response.Content.ReadAsStringAsync(cancellationToken);
            return (int)response.StatusCode != check.Status ? $"answers {(int)response.StatusCode}, not {check.Status}"
                : check.Contains is { } text && !body.Contains(text, StringComparison.Ordinal) ? $"the answer does not contain '{text}'"
                : ends - time.GetUtcNow() < TimeSpan.FromDays(check.CertificateDays) ? $"its certificate ends on {ends:yyyy-MM-dd}"
                : null;
        }
        catch (HttpRequestException failure)
        {
            return $"does not answer: {failure.GetBaseException().Message}";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"no answer within {check.Limit}";
        }
    }

    // Names below localhost are this machine (RFC 6761), whether its resolver knows that or not.
    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            EndPoint end = context.DnsEndPoint.Host.EndsWith(".localhost", StringComparison.OrdinalIgnoreCase)
                ? new IPEndPoint(IPAddress.Loopback, context.DnsEndPoint.Port)
                : context.DnsEndPoint;
            await socket.ConnectAsync(end, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
