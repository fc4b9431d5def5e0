using System.Formats.Tar;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;

namespace Benchmarks;

/// <summary>Writes OCI archives with layers of random bytes.</summary>
internal static class ArchiveFile
{
    public static Digest Write(string path, int layerCount, int layerSize)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using var file = File.Create(path);
        using var tar = new TarWriter(file, TarEntryFormat.Ustar);
        var layers = Enumerable.Range(0, layerCount).Select(i =>
        {
            using var layer = new MemoryStream();
            using (var content = new TarWriter(layer, TarEntryFormat.Ustar, leaveOpen: true))
            {
                content.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, $"layer{i}") { DataStream = new MemoryStream(RandomNumberGenerator.GetBytes(layerSize)) });
            }

            return Blob(tar, "application/vnd.oci.image.layer.v1.tar", layer.ToArray());
        }).ToList();
        var diffs = string.Join(',', layers.Select(layer => $"\"{layer.Digest}\""));
        var config = Blob(tar, MediaTypes.Config, Encoding.UTF8.GetBytes($$$"""{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[{{{diffs}}}]},"config":{}}"""));
        var manifest = Blob(tar, MediaTypes.Manifest, JsonSerializer.SerializeToUtf8Bytes(new OciManifest { Config = config, Layers = [.. layers] }, OciJson.Default.OciManifest));
        Entry(tar, "index.json", JsonSerializer.SerializeToUtf8Bytes(new OciIndex { Manifests = [manifest] }, OciJson.Default.OciIndex));
        Entry(tar, "oci-layout", """{"imageLayoutVersion":"1.0.0"}"""u8.ToArray());
        return manifest.Digest;
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
