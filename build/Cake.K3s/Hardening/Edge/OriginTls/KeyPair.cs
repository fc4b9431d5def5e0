using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>A certificate with its key.</summary>
/// <param name="Certificate">PEM.</param>
/// <param name="Key">PEM.</param>
/// <param name="Authority">The certificate of its authority, PEM, where that is one of its own.</param>
internal sealed record KeyPair(string Certificate, string Key, string? Authority = null)
{
    /// <summary>When it ends.</summary>
    public DateTimeOffset NotAfter => Read(certificate => new DateTimeOffset(certificate.NotAfter.ToUniversalTime()));

    /// <summary>Its serial number.</summary>
    public string Serial => Read(certificate => certificate.SerialNumber);

    /// <summary>The names it is for.</summary>
    public ImmutableArray<string> Names => Read(certificate =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SelectMany(extension => extension.EnumerateDnsNames()).ToImmutableArray());

    /// <summary>Whether another certificate, PEM, is this one.</summary>
    public bool Is(string? other) => other is not null && Read(certificate => certificate.RawData.AsSpan().SequenceEqual(Open(other).RawData));

    /// <summary>Reads a pair; null for what is none.</summary>
    public static KeyPair? Parse(string? certificate, string? key, string? authority = null)
    {
        if (certificate is null || key is null)
        {
            return null;
        }

        try
        {
            using var read = X509Certificate2.CreateFromPem(certificate, key);
            return new(certificate, key, authority);
        }
        catch (Exception unreadable) when (unreadable is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    /// <summary>For a TLS client.</summary>
    public X509Certificate2 Open() => X509Certificate2.CreateFromPem(Certificate, Key);

    /// <summary>A new private key, PEM.</summary>
    public static string NewKey()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        return key.ExportPkcs8PrivateKeyPem();
    }

    /// <summary>A request for a certificate, PEM, signed by the key, which stays here.</summary>
    public static string Request(string key, IReadOnlyList<string> names)
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportFromPem(key);
        var request = new CertificateRequest("CN=" + names[0], ecdsa, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            alternatives.AddDnsName(name);
        }

        request.CertificateExtensions.Add(alternatives.Build());
        return request.CreateSigningRequestPem();
    }

    /// <summary>Whether a certificate, PEM, is for the key.</summary>
    public static bool Fits(string certificate, string key)
    {
        using var ecdsa = ECDsa.Create();
        ecdsa.ImportFromPem(key);
        using var read = Open(certificate);
        return read.PublicKey.ExportSubjectPublicKeyInfo().AsSpan().SequenceEqual(ecdsa.ExportSubjectPublicKeyInfo());
    }

    /// <summary>A client's certificate by an authority of its own, whose key is thrown away: nobody can make a second one.</summary>
    /// <param name="subject">The common name.</param>
    /// <param name="now">The time.</param>
    /// <param name="days">How many days it is valid.</param>
    public static KeyPair NewClient(string subject, DateTimeOffset now, int days)
    {
        var (begin, end) = (now.AddHours(-1), now.AddDays(days));
        using var authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var authorityRequest = new CertificateRequest($"CN={subject} authority", authorityKey, HashAlgorithmName.SHA256);
        authorityRequest.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, hasPathLengthConstraint: true, 0, critical: true));
        authorityRequest.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, critical: true));
        using var authority = authorityRequest.CreateSelfSigned(begin, end);

        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=" + subject, key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature, critical: true));
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid("1.3.6.1.5.5.7.3.2")], critical: false));
        using var certificate = request.Create(authority, begin, end, RandomNumberGenerator.GetBytes(16));
        return new(certificate.ExportCertificatePem(), key.ExportPkcs8PrivateKeyPem(), authority.ExportCertificatePem());
    }

    private static X509Certificate2 Open(string certificate) => X509Certificate2.CreateFromPem(certificate);

    private T Read<T>(Func<X509Certificate2, T> read)
    {
        using var certificate = Open(Certificate);
        return read(certificate);
    }
}
