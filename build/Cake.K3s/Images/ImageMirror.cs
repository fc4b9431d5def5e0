using Cake.K3s.Hosting;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images;

/// <summary>
/// Copies the images that were pushed last to a second registry, with signatures, attestations and tags, in the order of a
/// push. <c>--registry</c> points any other target at that one, for the day when the first is down.
/// </summary>
public sealed class ImageMirror
{
    private readonly PipelineRun _run;
    private readonly RegistryClients _registries;
    private readonly IReporter _reporter;

    internal ImageMirror(PipelineRun run, RegistryClients registries, IReporter reporter)
    {
        _run = run;
        _registries = registries;
        _reporter = reporter;
    }

    /// <summary>Copies to the registry that <c>--mirror</c> names what is not there yet.</summary>
    /// <exception cref="K3sException">An image is not pushed or not signed, or one of the registries refused.</exception>
    public async Task MirrorAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var mirror = environment.Registry.At(_run.Options.Mirror ?? throw new K3sException(
            ExitCodes.BadInput, "MirrorImages was not told where to", "Name the second registry: --mirror=registry.example.com/me/app"));
        var keys = SigningKeys.Accepted(environment.SigningKey);
        ReleaseImages.Read(_run.Options.ArtifactsDirectory, _run.Settings, environment);
        using var source = _registries.Open(environment.Registry);
        using var destination = _registries.Open(mirror);
        await ForEachImage.RunAsync(_run.Settings.Images.Keys, async name =>
        {
            var push = new ImageArtifacts(_run.Options.ArtifactsDirectory, name).FindPush()!;
            var to = ImageReference.Parse(mirror.RepositoryOf(name));
            var bytes = await CopyAsync(push, source, destination, to, keys, _run.Cancellation);
            _reporter.Step(name, $"{(bytes == 0 ? "there already" : $"copied {bytes / 1e6:0.0} MB")}: {to.Name}@{push.Digest}");
        });
    }

    private static async Task<long> CopyAsync(
        PushRecord push,
        RegistryClient source,
        RegistryClient destination,
        ImageReference to,
        IReadOnlyList<PublicKey> keys,
        CancellationToken cancellationToken)
    {
        var from = ImageReference.Parse(push.Repository).Repository;
        var signatures = (await source.ReadSignaturesAsync(from, push.Digest, cancellationToken)).Where(signature => signature.Verifies(push.Digest, keys)).ToList();
        var manifest = await source.FindManifestAsync(from, push.Digest.ToString(), cancellationToken);
        if (manifest is null || signatures.Count == 0)
        {
            throw new K3sException(ExitCodes.Failed, $"image {push.Image} is not copied: {push.Repository}@{push.Digest} is {(manifest is null ? "not there" : "not signed by the app's key")}", "Run --target=Push.");
        }

        var content = manifest.Read();
        var sizes = await Task.WhenAll(content.Layers.Append(content.Config).DistinctBy(blob => blob.Digest).Select(blob => CopyBlobAsync(blob, from, source, destination, to.Repository, cancellationToken)));
        await destination.PushManifestAsync(to.Repository, push.Digest.ToString(), manifest.Bytes, manifest.MediaType, cancellationToken);
        foreach (var signature in signatures)
        {
            var signer = keys.First(key => signature.Verifies(push.Digest, key));
            await destination.PushSignatureAsync(to.Repository, push.Digest, signature, signer, cancellationToken);
        }

        foreach (var attestation in await source.ReadAttestationsAsync(from, push.Digest, cancellationToken))
        {
            if (keys.FirstOrDefault(key => attestation.Read(push.Digest, key) is not null) is { } signer)
            {
                var (type, _) = attestation.Read(push.Digest, signer)!.Value;
                await destination.PushAttestationAsync(to.Repository, push.Digest, type, attestation, signatures[0].Form, signer, cancellationToken);
            }
        }

        await destination.PushTagsAsync(to, push.Digest, push.Tags, keys, TagMoves.None, cancellationToken);
        return sizes.Sum();
    }

    private static async Task<long> CopyBlobAsync(
        OciDescriptor blob,
        string from,
        RegistryClient source,
        RegistryClient destination,
        string to,
        CancellationToken cancellationToken)
    {
        if (await destination.HasBlobAsync(to, blob.Digest, cancellationToken))
        {
            return 0;
        }

        // By way of a file: an upload that is cut goes on from it, and a layer may be larger than memory.
        var file = Path.GetTempFileName();
        try
        {
            await using (var stream = File.Create(file))
            {
                await source.CopyBlobAsync(from, blob.Digest, stream, cancellationToken);
            }

            return await destination.PushBlobAsync(to, blob, (offset, count) => new FileSlice(file, offset, count), null, cancellationToken);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
