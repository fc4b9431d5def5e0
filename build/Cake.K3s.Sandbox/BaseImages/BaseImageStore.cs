using System.Collections.Immutable;
using System.IO.Compression;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Environments;
using Cake.K3s.Images;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;
using Cake.K3s.Sandbox.Daemon;
using Cake.K3s.Settings;
using Cake.K3s.Tools.Debian;

namespace Cake.K3s.Sandbox.BaseImages;

/// <summary>Makes base images when they are asked for, once, and keeps them in the sandbox's registry.</summary>
internal sealed class BaseImageStore(IDebianPackages packages, RegistryClients registries, IReporter reporter, TimeProvider time)
{
    private const string Scheme = "sandbox://";
    private const string LayerType = "application/vnd.oci.image.layer.v1.tar+gzip";

    /// <summary>Replaces each argument <c>sandbox://NAME</c> by a reference to that image, by digest; makes those that are missing.</summary>
    /// <exception cref="SettingsException">There is no such base image.</exception>
    public async Task<ImmutableDictionary<string, ImmutableDictionary<string, string>>> ResolveAsync(
        ImmutableDictionary<string, ImmutableDictionary<string, string>> arguments,
        string settingsFile,
        SandboxDirectory directory,
        RegistryConnection registry,
        CancellationToken cancellationToken)
    {
        var wanted = arguments.Values.SelectMany(values => values.Values).Where(IsBaseImage).Distinct()
            .ToDictionary(value => value, value => Named(value, settingsFile));
        var references = new Dictionary<string, string>();
        foreach (var (value, reference) in await Task.WhenAll(wanted.Select(async pair =>
            (pair.Key, await EnsureAsync(pair.Value, directory, registry, cancellationToken)))))
        {
            references[value] = reference;
        }

        return arguments.ToImmutableDictionary(
            image => image.Key,
            image => image.Value.ToImmutableDictionary(
                argument => argument.Key,
                argument => references.GetValueOrDefault(argument.Value, argument.Value)));
    }

    /// <summary>The reference, by digest, of a base image <c>sandbox://NAME</c>, which is made where it is missing; any other name as it is.</summary>
    /// <exception cref="SettingsException">There is no such base image.</exception>
    public async Task<string> ReferenceAsync(
        string image, string settingsFile, SandboxDirectory directory, RegistryConnection registry, CancellationToken cancellationToken) =>
        IsBaseImage(image) ? await EnsureAsync(Named(image, settingsFile), directory, registry, cancellationToken) : image;

    private static bool IsBaseImage(string value) => value.StartsWith(Scheme, StringComparison.Ordinal);

    private static BaseImage Named(string value, string settingsFile) =>
        BaseImageCatalog.All.GetValueOrDefault(value[Scheme.Length..])
        ?? throw new SettingsException(
            settingsFile,
            0,
            0,
            $"there is no base image '{value}'; there are: {string.Join(", ", BaseImageCatalog.All.Keys.Order().Select(name => Scheme + name))}");

    private async Task<string> EnsureAsync(
        BaseImage image,
        SandboxDirectory directory,
        RegistryConnection registry,
        CancellationToken cancellationToken)
    {
        var repository = "sandbox/" + image.Name;
        var record = Path.Combine(directory.BaseImages, $"{image.Name}-{image.Recipe}.digest");
        using var client = registries.Open(registry);
        var digest = File.Exists(record) ? Digest.TryParse(File.ReadAllText(record)) : null;
        if (digest is null || await client.FindDigestAsync(repository, digest.ToString(), cancellationToken) is null)
        {
            digest = await MakeAsync(image, repository, directory, client, cancellationToken);
            PrivateFiles.Write(record, digest.ToString());
        }

        return $"{registry.Host}/{repository}@{digest}";
    }

    private async Task<Digest> MakeAsync(
        BaseImage image,
        string repository,
        SandboxDirectory directory,
        RegistryClient client,
        CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var work = Directory.CreateDirectory(Path.Combine(directory.BaseImages, $"{image.Name}.{Guid.NewGuid():N}")).FullName;
        try
        {
            var unpacked = Directory.CreateDirectory(Path.Combine(work, "root")).FullName;
            var found = await packages.ResolveAsync(DebianRelease.Current, image.Packages, withDependencies: true, cancellationToken);
            var kept = found.Where(package => image.Keeps(package.Name)).ToList();
            await packages.UnpackAsync(DebianRelease.Current, kept, unpacked, cancellationToken);
            List<ImageTree> trees = [BaseImageRoot.Build(image, unpacked)];
            if (image.AddRuntime is { } addRuntime)
            {
                var runtime = new ImageTree();
                addRuntime(runtime);
                trees.Add(runtime);
            }

            var layers = await Task.WhenAll(trees.Select((tree, index) =>
                Layer.WriteAsync(tree, Path.Combine(work, $"layer{index}.tar.gz"), cancellationToken)));
            var digest = await PushAsync(image, repository, layers, client, cancellationToken);
            reporter.Step(
                "sandbox",
                FormattableString.Invariant($"base image {image.Name} made of {kept.Count} Debian packages in {time.GetElapsedTime(start).TotalSeconds:0.0} s"));
            return digest;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task<Digest> PushAsync(
        BaseImage image,
        string repository,
        IReadOnlyCollection<Layer> layers,
        RegistryClient client,
        CancellationToken cancellationToken)
    {
        var configuration = JsonSerializer.SerializeToUtf8Bytes(Configuration(image, layers));
        var manifest = new OciManifest
        {
            Config = OciDescriptor.Of(MediaTypes.Config, configuration),
            Layers = [.. layers.Select(layer => layer.Descriptor)],
        };
        await client.PushBlobAsync(repository, manifest.Config, configuration, cancellationToken);
        await Task.WhenAll(layers.Select(layer => client.PushBlobAsync(repository, layer.Descriptor, (offset, count) => new FileSlice(layer.File, offset, count), null, cancellationToken)));
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Default.OciManifest);
        await client.PushManifestAsync(repository, "latest", [.. bytes], MediaTypes.Manifest, cancellationToken);
        return Digest.Of(bytes);
    }

    // OCI image spec, config.md. No time of making: the same files are the same image.
    private static JsonObject Configuration(BaseImage image, IEnumerable<Layer> layers) => new()
    {
        ["architecture"] = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64",
        ["os"] = "linux",
        ["config"] = new JsonObject
        {
            ["Env"] = Strings(image.Variables),
            ["Entrypoint"] = image.Entrypoint.IsEmpty ? null : Strings(image.Entrypoint),
            ["WorkingDir"] = "/",
        },
        ["rootfs"] = new JsonObject
        {
            ["type"] = "layers",
            ["diff_ids"] = Strings(layers.Select(layer => layer.Uncompressed.ToString())),
        },
    };

    private static JsonArray Strings(IEnumerable<string> texts) => [.. texts.Select(text => (JsonNode)text)];

    private sealed record Layer(string File, OciDescriptor Descriptor, Digest Uncompressed)
    {
        public static async Task<Layer> WriteAsync(ImageTree tree, string path, CancellationToken cancellationToken)
        {
            // Passes on what it is given; its hash is that of the archive before compression.
            using var plain = SHA256.Create();
            await using (var file = System.IO.File.Create(path))
            await using (var compressed = new GZipStream(file, CompressionLevel.Fastest))
            await using (var hashed = new CryptoStream(compressed, plain, CryptoStreamMode.Write))
            {
                await tree.WriteAsync(hashed, cancellationToken);
            }

            await using var written = System.IO.File.OpenRead(path);
            var descriptor = new OciDescriptor
            {
                MediaType = LayerType,
                Digest = await Digest.OfAsync(written, cancellationToken),
                Size = written.Length,
            };
            return new Layer(path, descriptor, Digest.Parse("sha256:" + Convert.ToHexStringLower(plain.Hash!)));
        }
    }
}
