using Cake.K3s.Processes;

namespace Cake.K3s.Images;

/// <summary>Says why cosign did not use a key, where its own words do not help: a pure function of its failure.</summary>
internal static class CosignFailure
{
    /// <summary>The failure with an explanation; null where cosign's own is as good.</summary>
    /// <param name="key">cosign's key reference.</param>
    /// <param name="failure">The runner's failure.</param>
    public static K3sException? Explain(string key, CommandFailedException failure) =>
        failure.LastLines.Any(line => line.Contains("unrecognized scheme", StringComparison.Ordinal))
            ? new(
                ExitCodes.RequirementMissing,
                $"this cosign is built without support for {key.Split("://")[0]}:// (Debian's knows awskms:// and k8s:// alone)",
                "Put a release of sigstore/cosign on PATH, which knows all of them; it is used before Debian's package.",
                failure.LastLines,
                failure)
            : null;
}
