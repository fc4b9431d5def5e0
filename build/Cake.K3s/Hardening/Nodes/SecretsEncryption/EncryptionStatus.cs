using System.Globalization;
using System.Text.RegularExpressions;

namespace Cake.K3s.Hardening.Nodes.SecretsEncryption;

/// <summary>What <c>k3s secrets-encrypt status</c> says.</summary>
/// <param name="Enabled">Whether new Secrets are encrypted.</param>
/// <param name="Stage">The stage of a rotation, e.g. <c>start</c> or <c>reencrypt_finished</c>; empty where there is no configuration.</param>
/// <param name="HashesMatch">Whether all servers have the same configuration.</param>
internal sealed partial record EncryptionStatus(bool Enabled, string Stage, bool HashesMatch)
{
    /// <summary>Reads the command's output.</summary>
    public static EncryptionStatus Parse(string output) => new(
        EnabledPattern().IsMatch(output),
        StagePattern().Match(output).Groups["stage"].Value,
        output.Contains("All hashes match", StringComparison.Ordinal));

    [GeneratedRegex(@"^Encryption Status:\s*Enabled\b", RegexOptions.Multiline)]
    private static partial Regex EnabledPattern();

    [GeneratedRegex(@"^Current Rotation Stage:\s*(?<stage>\w+)", RegexOptions.Multiline)]
    private static partial Regex StagePattern();
}

/// <summary>A version of K3s.</summary>
internal static partial class K3sVersion
{
    /// <summary>
    /// Whether encryption can be turned on while the cluster runs: from v1.34.6+k3s1 on an interrupted rotation can be gone on with
    /// (k3s 13370, 13772); before, servers ended up with different keys (k3s 7195, 4838).
    /// </summary>
    public static bool CanEncryptRunning(string version)
    {
        var match = Pattern().Match(version);
        return match.Success && Version.Parse(string.Create(CultureInfo.InvariantCulture, $"{match.Groups["version"].Value}.{match.Groups["k3s"].Value}")) >= new Version(1, 34, 6, 1);
    }

    [GeneratedRegex(@"v(?<version>\d+\.\d+\.\d+)\+k3s(?<k3s>\d+)")]
    private static partial Regex Pattern();
}
