using System.Formats.Tar;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Tests.Fixtures;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.IntegrationTests.Kubernetes;

/// <summary>An image with BusyBox alone: a shell, a web server, and enough to misbehave with.</summary>
internal sealed class ShellImage
{
    private readonly byte[] _layer;
    private readonly byte[] _config;
    private readonly byte[] _manifest;

    private ShellImage(byte[] tar)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(tar);
        }

        _layer = packed.ToArray();
        _config = Encoding.UTF8.GetBytes(new JsonObject
        {
            ["architecture"] = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject { ["Env"] = new JsonArray("PATH=/bin"), ["Cmd"] = new JsonArray("/bin/sh") },
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray("sha256:" + Convert.ToHexStringLower(SHA256.HashData(tar))) },
        }.ToJsonString());
        _manifest = JsonSerializer.SerializeToUtf8Bytes(
            new OciManifest
            {
                Config = OciDescriptor.Of(MediaTypes.Config, _config),
                Layers = [OciDescriptor.Of("application/vnd.oci.image.layer.v1.tar+gzip", _layer)],
            },
            OciJson.Default.OciManifest);
    }

    public Digest Digest => Digest.Of(_manifest);

    /// <summary>Makes it from Debian's package.</summary>
    public static async Task<ShellImage> MakeAsync(IDebianPackages packages)
    {
        using var directory = new TemporaryDirectory();
        var found = await packages.ResolveAsync(DebianRelease.Current, ["busybox-static"], withDependencies: false, default);
        await packages.UnpackAsync(DebianRelease.Current, found, directory.Path, default);
        var busybox = new DirectoryInfo(directory.Path).EnumerateFiles("busybox", SearchOption.AllDirectories).First(file => file.Length > 100_000);

        using var tar = new MemoryStream();
        using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
        {
            foreach (var folder in (string[])["bin/", "tmp/", "www/"])
            {
                writer.WriteEntry(new UstarTarEntry(TarEntryType.Directory, folder) { Mode = (UnixFileMode)0b111_111_111 });
            }

            using var content = busybox.OpenRead();
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "bin/busybox") { Mode = (UnixFileMode)0b111_101_101, DataStream = content });
            foreach (var applet in (string[])["sh", "sleep", "echo", "printf", "cat", "wc", "touch", "mkdir", "tail", "nc", "httpd", "date", "true", "false", "test", "ls"])
            {
                writer.WriteEntry(new UstarTarEntry(TarEntryType.SymbolicLink, "bin/" + applet) { LinkName = "busybox" });
            }

            // The head of a program for a processor that this is not: AArch64 here, x86-64 there.
            var machine = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? (byte)0x3e : (byte)0xb7;
            var foreign = new byte[120];
            new byte[] { 0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1 }.CopyTo(foreign, 0);
            foreign[16] = 2;
            foreign[18] = machine;
            foreign[20] = 1;
            foreign[52] = 64;
            writer.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "bin/foreign") { Mode = (UnixFileMode)0b111_101_101, DataStream = new MemoryStream(foreign) });
        }

        return new(tar.ToArray());
    }

    public async Task PushAsync(RegistryClient client, string repository)
    {
        using (client)
        {
            await client.PushBlobAsync(repository, OciDescriptor.Of("application/vnd.oci.image.layer.v1.tar+gzip", _layer), _layer, default);
            await client.PushBlobAsync(repository, OciDescriptor.Of(MediaTypes.Config, _config), _config, default);
            await client.PushManifestAsync(repository, "latest", ImmutableCollectionsMarshal.AsImmutableArray(_manifest), MediaTypes.Manifest, default);
        }
    }
}
