using System.Collections.Immutable;
using System.Formats.Tar;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Cake.K3s.Images.Oci;

/// <summary>An OCI image layout in a tar file, as buildx writes it, with exactly one image in it. Blobs are read in place.</summary>
internal sealed class OciArchive
{
    private readonly string _path;
    private readonly ImmutableDictionary<string, (long Offset, long Length)> _entries;

    private OciArchive(string path, ImmutableDictionary<string, (long Offset, long Length)> entries)
    {
        _path = path;
        _entries = entries;
        var index = Parse(ReadAll("index.json"), OciJson.Default.OciIndex, "index.json");
        if (index.Manifests is not [var only] || MediaTypes.IsIndex(only.MediaType))
        {
            throw Broken("it does not hold exactly one image manifest; provenance and SBOM must be off in the build");
        }

        ManifestDescriptor = only with { Annotations = null, Platform = null };
        ManifestBytes = ReadBlob(only);
        Manifest = Parse(ManifestBytes, OciJson.Default.OciManifest, only.Digest.ToString());
        Config = Parse(ReadBlob(Manifest.Config), OciJson.Default.OciImageConfig, Manifest.Config.Digest.ToString());
        foreach (var layer in Manifest.Layers)
        {
            Find(layer);
        }
    }

    /// <summary>The image's manifest.</summary>
    public OciDescriptor ManifestDescriptor { get; }

    /// <summary>The manifest's exact bytes: what is signed and pushed.</summary>
    public ImmutableArray<byte> ManifestBytes { get; }

    /// <summary>The manifest, read.</summary>
    public OciManifest Manifest { get; }

    /// <summary>The image's configuration, read.</summary>
    public OciImageConfig Config { get; }

    /// <summary>What the image is known by everywhere from now on.</summary>
    public Digest Digest => ManifestDescriptor.Digest;

    /// <summary>Configuration and layers: what must be in a repository before the manifest, each once.</summary>
    public IEnumerable<OciDescriptor> Blobs => Manifest.Layers.Prepend(Manifest.Config).DistinctBy(blob => blob.Digest);

    /// <summary>Reads the archive's table, manifest and configuration; checks that every blob is there in its full size.</summary>
    /// <exception cref="K3sException">The file is missing, is cut off or is no such archive.</exception>
    public static OciArchive Open(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            using var tar = new TarReader(file);
            var entries = ImmutableDictionary.CreateBuilder<string, (long, long)>(StringComparer.Ordinal);
            while (tar.GetNextEntry() is { } entry)
            {
                if (entry.EntryType is TarEntryType.RegularFile or TarEntryType.V7RegularFile)
                {
                    entries[entry.Name] = (entry.DataOffset, entry.Length);
                }
            }

            return new(path, entries.ToImmutable());
        }
        catch (Exception e) when (e is IOException or InvalidDataException or JsonException)
        {
            throw new K3sException(ExitCodes.Failed, $"{path} cannot be read as an OCI archive: {e.Message}", "Build the image again.", innerException: e);
        }
    }

    /// <summary>Opens a part of a blob of the image.</summary>
    /// <param name="blob">One of <see cref="Blobs"/>.</param>
    /// <param name="offset">Where the part starts in the blob, in bytes.</param>
    /// <param name="count">Its length in bytes.</param>
    /// <param name="read">Is told after each read how many bytes of the part were read.</param>
    public Stream OpenBlob(OciDescriptor blob, long offset, long count, Action<long>? read = null) =>
        new FileSlice(_path, Find(blob).Offset + offset, count, read);

    private (long Offset, long Length) Find(OciDescriptor blob) =>
        _entries.TryGetValue("blobs/sha256/" + blob.Digest.Hex, out var entry) && entry.Length == blob.Size
            ? entry
            : throw Broken($"blob {blob.Digest} is not in it with its {blob.Size} bytes");

    private ImmutableArray<byte> ReadBlob(OciDescriptor blob)
    {
        Find(blob);
        var bytes = ReadAll("blobs/sha256/" + blob.Digest.Hex);
        return Digest.Of(bytes.AsSpan()) == blob.Digest ? bytes : throw Broken($"the content of {blob.Digest} has another digest");
    }

    private ImmutableArray<byte> ReadAll(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
        {
            throw Broken($"there is no {name} in it");
        }

        var bytes = new byte[entry.Length];
        using var slice = new FileSlice(_path, entry.Offset, entry.Length);
        slice.ReadExactly(bytes);
        return ImmutableCollectionsMarshal.AsImmutableArray(bytes);
    }

    private static T Parse<T>(ImmutableArray<byte> json, JsonTypeInfo<T> type, string what) =>
        JsonSerializer.Deserialize(json.AsSpan(), type) ?? throw Broken($"{what} is empty");

    private static InvalidDataException Broken(string why) => new(why);
}
