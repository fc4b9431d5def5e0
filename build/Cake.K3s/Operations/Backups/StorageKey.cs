using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>An access key that was read.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Value">The key.</param>
internal sealed record StorageKey(Secret Id, Secret Value)
{
    /// <summary>Reads one.</summary>
    /// <param name="secrets">Reads its parts.</param>
    /// <param name="name">The key of deploy.yaml that it stands at, for errors.</param>
    /// <param name="settings">Where its parts come from.</param>
    /// <param name="root">The directory of deploy.yaml.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">A part cannot be read.</exception>
    public static async Task<StorageKey> ReadAsync(SecretReader secrets, string name, StorageKeySettings settings, string root, CancellationToken cancellationToken) => new(
        await secrets.ReadAsync(name + ".id", settings.Id, root, cancellationToken),
        await secrets.ReadAsync(name + ".key", settings.Key, root, cancellationToken));

    /// <summary>
    /// What curl reads with <c>--config</c>: it signs with AWS Signature Version 4, as every service that speaks S3 asks for.
    /// </summary>
    /// <param name="region">The region that requests are signed for.</param>
    public string ToCurlConfiguration(string region) =>
        $"user = \"{Quote(Id)}:{Quote(Value)}\"\naws-sigv4 = \"aws:amz:{region}:s3\"\n";

    private static string Quote(Secret secret) =>
        secret.Reveal().Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
