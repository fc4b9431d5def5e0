using System.Collections.Immutable;
using System.Text.Json.Serialization;

namespace Cake.K3s.Images.Oci;

/// <summary>Points to content by its digest (OCI image spec, descriptor.md).</summary>
internal sealed record OciDescriptor
{
    public required string MediaType { get; init; }

    public required Digest Digest { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    public ImmutableDictionary<string, string>? Annotations { get; init; }

    public OciPlatform? Platform { get; init; }

    public string? ArtifactType { get; init; }

    /// <summary>The descriptor of some bytes.</summary>
    public static OciDescriptor Of(string mediaType, ReadOnlySpan<byte> bytes) =>
        new() { MediaType = mediaType, Digest = Digest.Of(bytes), Size = bytes.Length };
}

/// <summary>What a manifest in an index is for.</summary>
internal sealed record OciPlatform(string Os, string Architecture, string? Variant = null)
{
    /// <inheritdoc/>
    public override string ToString() => Variant is null ? $"{Os}/{Architecture}" : $"{Os}/{Architecture}/{Variant}";
}

/// <summary>One image, or an artifact in the shape of one (OCI image spec, manifest.md).</summary>
internal sealed record OciManifest
{
    public int SchemaVersion { get; init; } = 2;

    public string MediaType { get; init; } = MediaTypes.Manifest;

    public string? ArtifactType { get; init; }

    public required OciDescriptor Config { get; init; }

    public required ImmutableArray<OciDescriptor> Layers { get; init; }

    public OciDescriptor? Subject { get; init; }

    public ImmutableDictionary<string, string>? Annotations { get; init; }
}

/// <summary>A list of manifests (OCI image spec, image-index.md).</summary>
internal sealed record OciIndex
{
    public int SchemaVersion { get; init; } = 2;

    public string MediaType { get; init; } = MediaTypes.Index;

    public ImmutableArray<OciDescriptor> Manifests { get; init; } = [];
}

/// <summary>The part of an image's configuration that is read here (OCI image spec, config.md).</summary>
internal sealed record OciImageConfig
{
    public string Architecture { get; init; } = "";

    public string Os { get; init; } = "";

    public string? Variant { get; init; }

    public DateTimeOffset? Created { get; init; }

    public OciContainerConfig? Config { get; init; }

    /// <summary>What the image runs on.</summary>
    [JsonIgnore]
    public OciPlatform Platform => new(Os, Architecture, Variant);
}

/// <summary>What a container of the image starts with.</summary>
internal sealed record OciContainerConfig
{
    // The image spec spells this one key with a capital letter.
    [JsonPropertyName("Labels")]
    public ImmutableDictionary<string, string>? Labels { get; init; }
}

/// <summary>Reads and writes these documents.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(OciManifest))]
[JsonSerializable(typeof(OciIndex))]
[JsonSerializable(typeof(OciImageConfig))]
internal sealed partial class OciJson : JsonSerializerContext;
