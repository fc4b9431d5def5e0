using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Cake.K3s.Images.Attestations;

namespace Cake.K3s.Images;

/// <summary>
/// What the tasks leave for each other, in <c>artifacts/images/NAME/</c>. A file is there as a whole or not at all, so that a
/// run that was killed can be repeated from where it was.
/// </summary>
/// <param name="artifacts">Absolute path of <c>artifacts/</c>.</param>
/// <param name="image">The image's name.</param>
internal sealed class ImageArtifacts(string artifacts, string image)
{
    /// <summary>The image's name.</summary>
    public string Image => image;

    /// <summary>The folder.</summary>
    public string Directory { get; } = Path.Combine(artifacts, "images", image);

    /// <summary>The OCI archive.</summary>
    public string Archive => Path.Combine(Directory, "image.tar");

    /// <summary>buildx's output.</summary>
    public string Log => Path.Combine(Directory, "build.log");

    /// <summary>What a signature of the legacy form is over.</summary>
    public string Payload => Path.Combine(Directory, "signature.json");

    /// <summary>The signature in base64.</summary>
    public string Signature => Path.Combine(Directory, "signature.sig");

    /// <summary>A signature of the bundle form.</summary>
    public string SignatureEnvelope => Path.Combine(Directory, "signature.dsse.json");

    /// <summary>What is stated about the image, and signed with it.</summary>
    public IReadOnlyList<AttestationFiles> Attestations =>
    [
        new(Attestation.ProvenanceType, Path.Combine(Directory, "provenance.json"), Path.Combine(Directory, "provenance.dsse.json")),
        new(Attestation.BillOfMaterialsType, Path.Combine(Directory, "sbom.spdx.json"), Path.Combine(Directory, "sbom.dsse.json")),
    ];

    private string Build => Path.Combine(Directory, "build.json");

    private string Push => Path.Combine(Directory, "pushed.json");

    /// <summary>A name for a file that is not complete yet.</summary>
    public static string Partial(string file) => file + ".partial";

    /// <summary>What BuildImage left; null if it left nothing that can be read.</summary>
    public BuildRecord? FindBuild() => Read(Build, ImageRecordsJson.Default.BuildRecord);

    /// <summary>What BuildImage left.</summary>
    /// <exception cref="K3sException">Nothing.</exception>
    public BuildRecord ReadBuild() => FindBuild() ?? throw new K3sException(
        ExitCodes.Failed,
        $"image {image} is not built: there is no {Build}",
        "Run --target=BuildImage.");

    /// <summary>What Push left; null if it left nothing that can be read.</summary>
    public PushRecord? FindPush() => Read(Push, ImageRecordsJson.Default.PushRecord);

    /// <summary>The signature that Sign left; null for none.</summary>
    public ImageSignature? FindSignature() =>
        File.Exists(SignatureEnvelope) ? new BundleSignature(new(File.ReadAllBytes(SignatureEnvelope)))
        : File.Exists(Payload) && File.Exists(Signature) ? new LegacySignature(File.ReadAllBytes(Payload), File.ReadAllText(Signature).Trim())
        : null;

    /// <summary>Keeps a build.</summary>
    public void Write(BuildRecord record) => Write(Build, record, ImageRecordsJson.Default.BuildRecord);

    /// <summary>Keeps a push.</summary>
    public void Write(PushRecord record) => Write(Push, record, ImageRecordsJson.Default.PushRecord);

    /// <summary>Removes what a new build makes untrue.</summary>
    public void Clear()
    {
        System.IO.Directory.CreateDirectory(Directory);
        foreach (var file in (string[])[Push, Signature, Payload, SignatureEnvelope, Build, Archive, Partial(Archive), .. Attestations.SelectMany(files => new[] { files.Predicate, files.Envelope })])
        {
            File.Delete(file);
        }
    }

    private static T? Read<T>(string file, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return File.Exists(file) ? JsonSerializer.Deserialize(File.ReadAllBytes(file), type) : null;
        }
        catch (JsonException)
        {
            // Written by another version: as good as none, the task that wrote it does so again.
            return null;
        }
    }

    private static void Write<T>(string file, T record, JsonTypeInfo<T> type)
    {
        System.IO.Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllBytes(Partial(file), JsonSerializer.SerializeToUtf8Bytes(record, type));
        File.Move(Partial(file), file, overwrite: true);
    }
}

/// <summary>The files of one attestation.</summary>
/// <param name="PredicateType">What kind of statement it is.</param>
/// <param name="Predicate">What BuildImage states.</param>
/// <param name="Envelope">What Sign made of it.</param>
internal sealed record AttestationFiles(string PredicateType, string Predicate, string Envelope);
