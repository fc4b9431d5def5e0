using System.Collections.Immutable;

namespace Cake.K3s.Tools.Cosign;

/// <summary>
/// The flags that make one version of cosign sign with a key, without the public transparency log, in the legacy form: known
/// for 2.x (2.5 tried) and 3.x (by its documentation). Told apart by a flag's presence, because distributions build cosign
/// without a version number.
/// </summary>
/// <param name="Signing">Flags of <c>sign-blob</c> and <c>attest-blob</c> alike.</param>
internal sealed record CosignFlags(ImmutableArray<string> Signing)
{
    // In 2.6 and 3.x; in 3.x it is on by default and demands the new bundle form.
    private const string MarkOfVersion3 = "--use-signing-config";

    /// <summary>Chooses by what <c>cosign sign-blob --help</c> prints.</summary>
    public static CosignFlags From(string signBlobHelp) => signBlobHelp.Contains(MarkOfVersion3, StringComparison.Ordinal)
        ? new(["--yes", "--tlog-upload=false", "--new-bundle-format=false", "--use-signing-config=false"])
        : new(["--yes", "--tlog-upload=false"]);
}
