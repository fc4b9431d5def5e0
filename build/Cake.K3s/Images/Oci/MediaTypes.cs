namespace Cake.K3s.Images.Oci;

/// <summary>Media types of the OCI image spec, Docker's older forms of them, and cosign's.</summary>
internal static class MediaTypes
{
    public const string Manifest = "application/vnd.oci.image.manifest.v1+json";
    public const string Index = "application/vnd.oci.image.index.v1+json";
    public const string Config = "application/vnd.oci.image.config.v1+json";
    public const string DockerManifest = "application/vnd.docker.distribution.manifest.v2+json";
    public const string DockerList = "application/vnd.docker.distribution.manifest.list.v2+json";

    /// <summary>The payload that a signature is over (cosign specs/SIGNATURE_SPEC.md).</summary>
    public const string SimpleSigning = "application/vnd.dev.cosign.simplesigning.v1+json";

    /// <summary>A signed statement (cosign specs/ATTESTATION_SPEC.md).</summary>
    public const string Dsse = "application/vnd.dsse.envelope.v1+json";

    /// <summary>What a manifest request accepts.</summary>
    public static readonly string[] AnyManifest = [Manifest, Index, DockerManifest, DockerList];

    /// <summary>Whether a manifest of this type lists other manifests.</summary>
    public static bool IsIndex(string mediaType) => mediaType is Index or DockerList;
}
