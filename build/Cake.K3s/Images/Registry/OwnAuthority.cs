using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cake.K3s.Images.Registry;

/// <summary>Trusts certificates of a registry's own authority, beside those that the system trusts.</summary>
internal sealed class OwnAuthority
{
    private readonly X509Certificate2Collection _authorities = [];

    /// <param name="file">Absolute path of the authority's certificate, in PEM form; may hold several.</param>
    /// <exception cref="K3sException">The file cannot be read or holds no certificate (exit code 5).</exception>
    public OwnAuthority(string file)
    {
        try
        {
            _authorities.ImportFromPemFile(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException)
        {
            throw Unreadable(file, e.Message, e);
        }

        if (_authorities.Count == 0)
        {
            throw Unreadable(file, "it holds none in PEM form", null);
        }
    }

    /// <summary>Decides about a server's certificate: <see cref="RemoteCertificateValidationCallback"/>.</summary>
    public bool Accepts(object sender, X509Certificate? certificate, X509Chain? presented, SslPolicyErrors errors)
    {
        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is null)
        {
            // Trusted already, or for another host: no authority makes up for that.
            return errors == SslPolicyErrors.None;
        }

        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(_authorities);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        foreach (var element in presented?.ChainElements ?? Enumerable.Empty<X509ChainElement>())
        {
            chain.ChainPolicy.ExtraStore.Add(element.Certificate);
        }

        using var leaf = X509CertificateLoader.LoadCertificate(certificate.GetRawCertData());
        return chain.Build(leaf);
    }

    private static K3sException Unreadable(string file, string why, Exception? cause) => new(
        ExitCodes.RequirementMissing,
        $"the certificate of the registry's authority {file} cannot be read: {why}",
        "Correct 'registry.certificateAuthority' in deploy.yaml.",
        innerException: cause);
}
