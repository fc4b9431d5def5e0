using System.Globalization;
using Cake.K3s.Nodes;

namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>
/// Port 443 of a node, asked on the node itself, with its openssl: where CloudflareOnly is in place no other machine of the operator's
/// comes through to it.
/// </summary>
internal sealed class NodeOrigin(Node node) : Origin(node.Name)
{
    private const string Begin = "-----BEGIN CERTIFICATE-----";
    private const string End = "-----END CERTIFICATE-----";

    /// <inheritdoc/>
    public override async Task<OriginAnswer> AskAsync(string host, KeyPair? client, CancellationToken cancellationToken) =>
        Read((await node.TryRunAsync(Script(host, client), cancellationToken)).Output);

    /// <summary>Asks, and prints what openssl says.</summary>
    internal static string Script(string host, KeyPair? client)
    {
        var seconds = Limit.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);

        // In TLS 1.2 a server refuses a client's certificate within the handshake, which openssl's exit code tells.
        var ask = $"timeout {seconds} openssl s_client -tls1_2 -connect 127.0.0.1:443 -servername {ShellText.Quote(host)}";
        return client is null
            ? $"{ask} 2>&1\necho \"exit $?\""
            : $"""
              dir=$(mktemp -d) || exit 1
              trap 'rm -rf "$dir"' EXIT
              base64 -d > "$dir/client.pem" <<'PEM'
              {ShellText.Base64(client.Certificate + "\n" + client.Key + "\n")}
              PEM
              {ask} -cert "$dir/client.pem" -key "$dir/client.pem" 2>&1
              echo "exit $?"
              """;
    }

    /// <summary>What openssl said.</summary>
    internal static OriginAnswer Read(string output)
    {
        var (begin, end) = (output.IndexOf(Begin, StringComparison.Ordinal), output.IndexOf(End, StringComparison.Ordinal));
        var certificate = begin >= 0 && end > begin ? output[begin..(end + End.Length)] : null;
        var accepted = output.TrimEnd().EndsWith("\nexit 0", StringComparison.Ordinal) && certificate is not null;
        return new(certificate, accepted, accepted ? "" : WhyOf(output));
    }

    // What openssl thinks of the server's certificate ("verify error") is no refusal: Cloudflare's authority is not known there.
    private static string WhyOf(string output) =>
        output.Split('\n').FirstOrDefault(line => line.Contains(":error:", StringComparison.Ordinal))?.Trim() ?? "openssl s_client on the node came to no certificate";
}
