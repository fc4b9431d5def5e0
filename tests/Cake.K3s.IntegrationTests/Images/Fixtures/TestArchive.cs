using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.IntegrationTests.Images.Fixtures;

/// <summary>Writes OCI archives as buildx does, with layers of random bytes.</summary>
internal static class TestArchive
{
    public static Digest Write(string path, params int[] layerSizes) => Write(path, "amd64", layerSizes);

    public static Digest Write(string path, string architecture, params int[] layerSizes) =>
        Write(path, architecture, "application/vnd.oci.image.layer.v1.tar+gzip", [.. layerSizes.Select(RandomNumberGenerator.GetBytes)], isUnpackable: false);

    /// <summary>With layers that an engine can unpack: tars of one file each.</summary>
    public static Digest WriteUnpackable(string path, params int[] layerSizes) =>
        Write(path, "amd64", "application/vnd.oci.image.layer.v1.tar", [.. layerSizes.Select(Tar)], isUnpackable: true);

    private static Digest Write(string path, string architecture, string mediaType, byte[][] contents, bool isUnpackable)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.Create(path);
        using var tar = new TarWriter(file, TarEntryFormat.Ustar);
        var layers = contents.Select(content => Blob(tar, mediaType, content)).ToList();
        var diffs = isUnpackable ? string.Join(',', layers.Select(layer => $"\"{layer.Digest}\"")) : "";
        var config = Blob(tar, MediaTypes.Config, Encoding.UTF8.GetBytes($$$"""{"architecture":"{{{architecture}}}","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{diffs}}}]},"config":{}}"""));
        var manifest = Blob(tar, MediaTypes.Manifest, JsonSerializer.SerializeToUtf8Bytes(new OciManifest { Config = config, Layers = [.. layers] }, OciJson.Default.OciManifest));
        Entry(tar, "index.json", JsonSerializer.SerializeToUtf8Bytes(new OciIndex { Manifests = [manifest] }, OciJson.Default.OciIndex));
        Entry(tar, "oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray());
        return manifest.Digest;
    }

    private static byte[] Tar(int size)
    {
        using var layer = new MemoryStream();
        using (var content = new TarWriter(layer, TarEntryFormat.Ustar))
        {
            Entry(content, "file", RandomNumberGenerator.GetBytes(size));
        }

        return layer.ToArray();
    }

    private static OciDescriptor Blob(TarWriter tar, string mediaType, byte[] bytes)
    {
        var descriptor = OciDescriptor.Of(mediaType, bytes);
        Entry(tar, "blobs/sha256/" + descriptor.Digest.Hex, bytes);
        return descriptor;
    }

    private static void Entry(TarWriter tar, string name, byte[] bytes) =>
        tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, name) { DataStream = new MemoryStream(bytes) });
}
