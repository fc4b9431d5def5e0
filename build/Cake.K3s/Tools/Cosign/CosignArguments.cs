using System.Collections.Immutable;

namespace Cake.K3s.Tools.Cosign;

/// <summary>cosign's command lines. Runs nothing; a password never comes here, cosign reads it from COSIGN_PASSWORD.</summary>
internal static class CosignArguments
{
    /// <summary>The variable that cosign reads a private key's password from.</summary>
    public const string PasswordVariable = "COSIGN_PASSWORD";

    /// <summary>Prints the flags of signing, for <see cref="CosignFlags.From"/>.</summary>
    public static ImmutableArray<string> SignBlobHelp() => ["sign-blob", "--help"];

    /// <summary>Signs a file with a key; contacts nothing but the key's own service.</summary>
    /// <param name="flags">The version's flags.</param>
    /// <param name="key">cosign's key reference.</param>
    /// <param name="file">What is signed.</param>
    /// <param name="signature">The file that the signature is written to, in base64.</param>
    public static ImmutableArray<string> SignBlob(CosignFlags flags, string key, string file, string signature) =>
        ["sign-blob", "--key", key, .. flags.Signing, "--output-signature", signature, file];

    /// <summary>Makes a key pair: <c>PREFIX.key</c> and <c>PREFIX.pub</c> in the current directory.</summary>
    public static ImmutableArray<string> GenerateKeyPair(string prefix) => ["generate-key-pair", "--output-key-prefix", prefix];

    /// <summary>Makes a key pair in a service (Vault, a KMS); the public half goes to the current directory.</summary>
    public static ImmutableArray<string> GenerateKeyPairIn(string service) => ["generate-key-pair", "--kms", service];

    /// <summary>Verifies a pushed image; printed for the operator to check with.</summary>
    /// <param name="publicKey">The public key's file.</param>
    /// <param name="image">The image by digest.</param>
    /// <param name="insecure">The registry speaks plain HTTP.</param>
    /// <param name="authority">The file of the registry's own authority; null for none.</param>
    public static ImmutableArray<string> Verify(string publicKey, string image, bool insecure, string? authority = null) =>
    [
        "verify", "--key", publicKey, "--insecure-ignore-tlog",
        .. insecure ? ["--allow-http-registry"] : Array.Empty<string>(),
        .. authority is null ? Array.Empty<string>() : ["--registry-cacert", authority],
        image,
    ];
}
