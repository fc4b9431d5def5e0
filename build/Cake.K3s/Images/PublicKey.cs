using System.Security.Cryptography;

namespace Cake.K3s.Images;

/// <summary>A public key that signatures are checked against, as cosign writes it (PEM, SubjectPublicKeyInfo).</summary>
internal sealed class PublicKey
{
    private readonly Func<byte[], byte[], bool> _verify;

    private PublicKey(string file, Func<byte[], byte[], bool> verify, byte[] encoded)
    {
        File = file;
        _verify = verify;
        Fingerprint = Digest.Of(encoded);
    }

    /// <summary>Where it was read from.</summary>
    public string File { get; }

    /// <summary>The digest of the key's binary form, which <c>openssl pkey -pubin -outform der | sha256sum</c> gives as well.</summary>
    public Digest Fingerprint { get; }

    /// <summary>Reads a key.</summary>
    /// <exception cref="K3sException">The file is missing or holds no ECDSA or RSA public key.</exception>
    public static PublicKey Read(string file)
    {
        string pem;
        try
        {
            pem = System.IO.File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new K3sException(
                ExitCodes.RequirementMissing,
                $"the public key {file} cannot be read: {e.Message}",
                "Make a key pair with --target=SignKeyCreate and check its public half in.",
                innerException: e);
        }

        return ReadEllipticCurve(file, pem) ?? ReadRsa(file, pem) ?? throw new K3sException(
            ExitCodes.RequirementMissing,
            $"{file} holds no ECDSA or RSA public key in PEM form",
            "It must be what 'cosign public-key' prints.");
    }

    /// <summary>Whether a signature over a payload was made with the private half. SHA-256, as cosign does.</summary>
    public bool Verifies(byte[] payload, byte[] signature) => _verify(payload, signature);

    private static PublicKey? ReadEllipticCurve(string file, string pem)
    {
        try
        {
            var key = ECDsa.Create();
            key.ImportFromPem(pem);
            return new(file, (payload, signature) => key.VerifyData(payload, signature, HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence), key.ExportSubjectPublicKeyInfo());
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }

    private static PublicKey? ReadRsa(string file, string pem)
    {
        try
        {
            var key = RSA.Create();
            key.ImportFromPem(pem);
            return new(file, (payload, signature) => key.VerifyData(payload, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1), key.ExportSubjectPublicKeyInfo());
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            return null;
        }
    }
}
