using System.Collections.Immutable;
using System.Text.Json.Serialization;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>What BuildImage found out about one image: <c>build.json</c>. Sign and Push go by it.</summary>
internal sealed record BuildRecord
{
    /// <summary>The image's name in deploy.yaml.</summary>
    public required string Image { get; init; }

    /// <summary>Registry and repository that it is for.</summary>
    public required string Repository { get; init; }

    /// <summary>The manifest's digest.</summary>
    public required Digest Digest { get; init; }

    /// <summary><see cref="Images.ContentKey"/>.</summary>
    public required string ContentKey { get; init; }

    /// <summary>Whether the registry has it already, signed; then there is no archive.</summary>
    public bool InRegistry { get; init; }

    /// <summary>
    /// Whether that signature is by the key before the present one only, which is still accepted: then it is signed anew, so
    /// that nothing is lost when the old key is given up.
    /// </summary>
    public bool NeedsNewSignature { get; init; }

    /// <summary>The form of the signature that the registry has, in which the new one must be; null for the environment's own.</summary>
    public SignatureForm? Form { get; init; }

    /// <summary>The commit that was checked out; null outside git.</summary>
    public string? Commit { get; init; }

    /// <summary>When it was committed: the date of everything in the image.</summary>
    public DateTimeOffset? CommitTime { get; init; }

    /// <summary>Whether the files differed from the commit.</summary>
    public bool IsDirty { get; init; }

    /// <summary>When this was found out.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>The tags besides that of the key, e.g. <c>sha-0123456789ab</c>.</summary>
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>What is told of it.</summary>
    public ImageBuilt ToEvent(Digest digest, bool isNew) => new(Image, Repository, digest.ToString(), ContentKey, isNew, Commit, IsDirty);
}

/// <summary>What Push did with one image: <c>pushed.json</c>. Deploy goes by it.</summary>
internal sealed record PushRecord
{
    /// <summary>The image's name in deploy.yaml.</summary>
    public required string Image { get; init; }

    /// <summary>Registry and repository that it is in.</summary>
    public required string Repository { get; init; }

    /// <summary>The manifest's digest.</summary>
    public required Digest Digest { get; init; }

    /// <summary><see cref="Images.ContentKey"/>.</summary>
    public required string ContentKey { get; init; }

    /// <summary>The tags that name it.</summary>
    public ImmutableArray<string> Tags { get; init; } = [];

    /// <summary>When it was there with signature and tags.</summary>
    public required DateTimeOffset Time { get; init; }
}

/// <summary>What buildx writes to its metadata file, as far as it is read here.</summary>
internal sealed record BuildxMetadata
{
    [JsonPropertyName("containerimage.digest")]
    public Digest? Digest { get; init; }
}

/// <summary>Reads and writes these documents.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BuildRecord))]
[JsonSerializable(typeof(PushRecord))]
[JsonSerializable(typeof(BuildxMetadata))]
internal sealed partial class ImageRecordsJson : JsonSerializerContext;
