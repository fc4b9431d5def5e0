using Cake.K3s.Settings;

namespace Cake.K3s.Operations.Backups;

/// <summary>An access key that was read.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Value">The key.</param>
internal sealed record StorageKey(Secret Id, Secret Value)
{
    /// <summary>
    /// What curl reads with <c>--config</c>: it signs with AWS Signature Version 4, as every service that speaks S3 asks for.
    /// </summary>
    /// <param name="region">The region that requests are signed for.</param>
    public string ToCurlConfiguration(string region) =>
        $"user = \"{Quote(Id)}:{Quote(Value)}\"\naws-sigv4 = \"aws:amz:{region}:s3\"\n";

    private static string Quote(Secret secret) =>
        secret.Reveal().Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
