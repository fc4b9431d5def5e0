using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Cake.K3s.Sandbox.Daemon;

/// <summary>What the Kubernetes API shows and asks for: a certificate of the sandbox's own authority, and a token.</summary>
/// <param name="Authority">The authority's certificate in PEM form: what clients trust.</param>
/// <param name="Server">The server's certificate with its key.</param>
/// <param name="Token">The bearer token of the administrator.</param>
internal sealed record ClusterCredentials(string Authority, X509Certificate2 Server, string Token)
{
    /// <summary>The credentials in a sandbox; the authority and the token are made the first time and kept.</summary>
    /// <param name="directory">The sandbox.</param>
    /// <param name="addresses">Where clients reach the server, beside its names.</param>
    /// <param name="clock">For the certificates' validity.</param>
    public static ClusterCredentials Open(SandboxDirectory directory, IEnumerable<IPAddress> addresses, TimeProvider clock)
    {
        PrivateFiles.MakeDirectory(directory.Credentials);
        var now = clock.GetUtcNow();

        // One file for certificate and key: there is never one without the other.
        var pem = PrivateFiles.ReadOrWrite(Path.Combine(directory.Credentials, "authority.pem"), () => MakeAuthority(now));
        using var authority = X509Certificate2.CreateFromPem(pem, pem);
        var token = PrivateFiles.ReadOrWrite(
            Path.Combine(directory.Credentials, "token"),
            () => RandomNumberGenerator.GetHexString(48, lowercase: true));
        return new ClusterCredentials(authority.ExportCertificatePem(), MakeServer(authority, addresses, now), token);
    }

    /// <summary>Text of a kubeconfig: <see href="https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/"/>.</summary>
    /// <param name="port">Where the API listens, on 127.0.0.1.</param>
    public string Kubeconfig(int port) => string.Create(CultureInfo.InvariantCulture, $$"""
        apiVersion: v1
        kind: Config
        current-context: sandbox
        clusters:
        - name: sandbox
          cluster:
            server: https://127.0.0.1:{{port}}
            certificate-authority-data: {{Convert.ToBase64String(Encoding.ASCII.GetBytes(Authority))}}
        contexts:
        - name: sandbox
          context:
            cluster: sandbox
            user: admin
        users:
        - name: admin
          user:
            token: {{Token}}

        """);

    private static string MakeAuthority(DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=cake-k3s-sandbox", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, false));
        using var certificate = request.CreateSelfSigned(now.AddHours(-1), now.AddYears(10));
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    // Made at each start: addresses change, and a server's certificate that is a year old has run out.
    private static X509Certificate2 MakeServer(X509Certificate2 authority, IEnumerable<IPAddress> addresses, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=kube-apiserver", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        foreach (var name in (string[])["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"])
        {
            names.AddDnsName(name);
        }

        foreach (var address in addresses)
        {
            names.AddIpAddress(address);
        }

        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.1", "serverAuth")], false));
        request.CertificateExtensions.Add(X509AuthorityKeyIdentifierExtension.CreateFromCertificate(authority, true, false));
        var serial = RandomNumberGenerator.GetBytes(16);
        serial[0] &= 0x7f;
        using var certificate = request.Create(authority, now.AddHours(-1), now.AddYears(1), serial);
        return certificate.CopyWithPrivateKey(key);
    }
}
