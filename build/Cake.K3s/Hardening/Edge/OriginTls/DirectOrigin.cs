using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>An origin that this machine reaches.</summary>
/// <param name="address"><c>host:port</c>.</param>
internal sealed class DirectOrigin(string address) : Origin(address)
{
    /// <inheritdoc/>
    public override async Task<OriginAnswer> AskAsync(string host, KeyPair? client, CancellationToken cancellationToken)
    {
        string? shown = null;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Limit);
        using var certificate = client?.Open();
        try
        {
            var target = new Uri("https://" + Name);
            using var connection = new TcpClient();
            await connection.ConnectAsync(target.Host.Trim('[', ']'), target.Port, limit.Token);
            await using var tls = new SslStream(connection.GetStream());
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = host,
                    ClientCertificates = certificate is null ? null : [certificate],
                    // Nothing secret is sent. Which certificate it is, is compared with the one that must be there.
                    RemoteCertificateValidationCallback = (_, remote, _, _) =>
                    {
                        shown = remote is X509Certificate2 known ? known.ExportCertificatePem() : null;
                        return true;
                    },
                },
                limit.Token);

            // In TLS 1.3 a server refuses a client's certificate only after the client has done its part.
            await tls.WriteAsync(Encoding.ASCII.GetBytes($"HEAD / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"), limit.Token);
            return await tls.ReadAsync(new byte[1], limit.Token) > 0 ? new(shown, true, "") : new(shown, false, "it closed the connection");
        }
        catch (Exception refused) when (refused is AuthenticationException or IOException or SocketException)
        {
            return new(shown, false, (refused.InnerException ?? refused).Message.ReplaceLineEndings(" "));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(shown, false, $"no answer within {Limit.TotalSeconds:0} s");
        }
    }
}
