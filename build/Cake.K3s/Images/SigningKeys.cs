using Cake.K3s.Environments;

namespace Cake.K3s.Images;

/// <summary>The public keys by which an image of an environment counts as signed.</summary>
internal static class SigningKeys
{
    /// <summary>The environment's key, and the one before it while that is still accepted (see <see cref="PreviousOf"/>).</summary>
    /// <exception cref="K3sException">A key cannot be read.</exception>
    public static IReadOnlyList<PublicKey> Accepted(SigningKey key) =>
        File.Exists(PreviousOf(key.PublicKey)) ? [PublicKey.Read(key.PublicKey), PublicKey.Read(PreviousOf(key.PublicKey))] : [PublicKey.Read(key.PublicKey)];

    /// <summary>Where a rotation puts the old public key: <c>cosign.previous.pub</c> beside <c>cosign.pub</c>. Deleting it ends the time in which both are accepted.</summary>
    public static string PreviousOf(string publicKey) =>
        Path.Combine(Path.GetDirectoryName(publicKey) ?? "", Path.GetFileNameWithoutExtension(publicKey) + ".previous" + Path.GetExtension(publicKey));
}
