using System.Collections.Immutable;

namespace Cake.K3s.Tools.Buildx;

/// <summary>buildx's command lines. Runs nothing.</summary>
internal static class BuildxArguments
{
    /// <summary>The variable that dates what a build makes (reproducible-builds.org); buildx passes it on.</summary>
    public const string SourceDateEpoch = "SOURCE_DATE_EPOCH";

    /// <summary>Builds one image into an OCI archive with one manifest and nothing that differs from build to build.</summary>
    public static ImmutableArray<string> Build(BuildxSettings settings) =>
    [
        "build",
        "--progress=plain",
        .. Flag("--builder", settings.Builder),
        "--platform", settings.Platform,
        "--file", settings.File,
        .. Flag("--target", settings.Target),
        .. settings.BuildArguments.SelectMany(argument => Flag("--build-arg", $"{argument.Key}={argument.Value}")),
        .. settings.PinnedBases.SelectMany(pin => Flag("--build-context", $"{pin.Key}=docker-image://{pin.Value}")),
        .. settings.Labels.SelectMany(label => Flag("--label", $"{label.Key}={label.Value}")),
        .. settings.Secrets.SelectMany(secret => Flag("--secret", $"id={secret.Key},env={secret.Value}")),
        .. Cache(settings.Cache),

        // An attestation would make the archive an index: several digests where one is signed, deployed and verified.
        "--provenance=false",
        "--sbom=false",
        "--output", $"type=oci,dest={settings.Archive},rewrite-timestamp=true",
        "--metadata-file", settings.MetadataFile,
        settings.Context,
    ];

    /// <summary>Whether the builder takes a build argument that the Dockerfile does not declare.</summary>
    public static bool IsPredefined(string argument) =>
        argument is SourceDateEpoch
        || argument.StartsWith("BUILDKIT_", StringComparison.Ordinal)
        || argument.EndsWith("_PROXY", StringComparison.OrdinalIgnoreCase);

    /// <summary>Prints the version.</summary>
    public static ImmutableArray<string> Version() => ["version"];

    private static string[] Flag(string name, string? value) => value is null ? [] : [name, value];

    // image-manifest: registries such as Gitea refuse the index form that BuildKit's cache has by default before 0.21.
    private static string[] Cache(string? reference) => reference is null
        ? []
        : ["--cache-from", $"type=registry,ref={reference}", "--cache-to", $"type=registry,ref={reference},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true"];
}
