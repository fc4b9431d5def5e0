using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.Images;

/// <summary>The shape in which cosign keeps signatures and attestations in a registry: an image whose layers they are.</summary>
internal static class CosignDocument
{
    private const string NoTime = "0001-01-01T00:00:00Z";

    /// <summary>The manifest that lists the layers, and its configuration, as cosign itself would push them.</summary>
    public static (ImmutableArray<byte> Manifest, byte[] Config) Of(ImmutableArray<OciDescriptor> layers)
    {
        var history = string.Join(',', layers.Select(_ => $$"""{"created":"{{NoTime}}"}"""));
        var diffs = string.Join(',', layers.Select(layer => $"\"{layer.Digest}\""));
        var config = Encoding.UTF8.GetBytes(
            $$$"""{"architecture":"","created":"{{{NoTime}}}","history":[{{{history}}}],"os":"","rootfs":{"type":"layers","diff_ids":[{{{diffs}}}]},"config":{}}""");
        var manifest = new OciManifest { Config = OciDescriptor.Of(MediaTypes.Config, config), Layers = layers };
        return (ImmutableCollectionsMarshal.AsImmutableArray(JsonSerializer.SerializeToUtf8Bytes(manifest, OciJson.Default.OciManifest)), config);
    }
}
