using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Processes;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;
using Cake.K3s.Tools.Cosign;

namespace Cake.K3s.Images;

/// <summary>
/// Pushes the images that were signed, so that no tag ever names an unsigned one: blobs, then the manifest by its digest, then
/// the signature and the attestations, and only then the tags. Stopped anywhere, a second run goes on from there.
/// </summary>
public sealed class ImagePusher
{
    // Uploads at the same time, over all images: more do not make a registry faster.
    private const int MaxUploads = 6;

    private readonly PipelineRun _run;
    private readonly RegistryClients _registries;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal ImagePusher(PipelineRun run, RegistryClients registries, IReporter reporter, TimeProvider time)
    {
        _run = run;
        _registries = registries;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Pushes all images.</summary>
    /// <exception cref="K3sException">A signature does not verify, a tag names another image, or the registry refused.</exception>
    public async Task PushAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var keys = SigningKeys.Accepted(environment.SigningKey);
        using var registry = _registries.Open(environment.Registry);
        using var uploads = new BlobUploads(registry, MaxUploads);
        await ForEachImage.RunAsync(_run.Settings.Images.Keys, name => PushAsync(name, environment, registry, uploads, keys, _run.Cancellation));
    }

    private async Task PushAsync(
        string name,
        DeployEnvironment environment,
        RegistryClient registry,
        BlobUploads uploads,
        IReadOnlyList<PublicKey> keys,
        CancellationToken cancellationToken)
    {
        var artifacts = new ImageArtifacts(_run.Options.ArtifactsDirectory, name);
        var build = artifacts.ReadBuild();
        var repository = ImageReference.Parse(environment.Registry.RepositoryOf(name));
        if (build.Repository != repository.Name)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"image {name} was built for {build.Repository}, not for {repository.Name}",
                $"Run --target=Push --environment={environment.Name} without --exclusive.");
        }

        ImmutableArray<string> tags = [ContentKey.TagOf(build.ContentKey), .. build.Tags];
        var moves = _run.Options.ForceTag ? TagMoves.All : _run.Options.Rebuild ? TagMoves.Key : TagMoves.None;

        var signed = build.InRegistry ? null : SignedBuild.Read(build, artifacts, keys);

        // Before anything is sent, and again when it is there.
        await registry.CheckTagsAsync(repository, build.Digest, tags, keys, moves, cancellationToken);
        var (sent, bytes) = signed is null
            ? (await CheckAsync(build, artifacts, repository, registry, keys, cancellationToken), 0)
            : await PushAsync(build, signed, artifacts, repository, registry, uploads, keys, cancellationToken);
        await registry.PushTagsAsync(repository, build.Digest, tags, keys, moves, cancellationToken);
        artifacts.Write(new PushRecord
        {
            Image = name,
            Repository = repository.Name,
            Digest = build.Digest,
            ContentKey = build.ContentKey,
            Tags = tags,
            Time = _time.GetUtcNow(),
        });
        _reporter.Step(name, $"{sent}: {repository.Name}@{build.Digest} ({string.Join(", ", tags)})");
        var reference = $"{repository.Name}@{build.Digest}";
        var check = CommandLine.Of(new("cosign", CosignArguments.Verify(
            Path.GetRelativePath(_run.Options.Root, environment.SigningKey.PublicKey), reference, environment.Registry.Insecure, environment.Registry.CertificateAuthority)));
        _reporter.Step(name, "check: " + check);
        _reporter.Report(new ImagePushed(name, reference, [.. tags], bytes, check));
    }

    private static async Task<string> CheckAsync(
        BuildRecord build,
        ImageArtifacts artifacts,
        ImageReference repository,
        RegistryClient registry,
        IReadOnlyList<PublicKey> keys,
        CancellationToken cancellationToken)
    {
        if (!await registry.IsSignedAsync(repository.Repository, build.Digest, keys, cancellationToken))
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"image {build.Image}: {repository.Name}@{build.Digest} was signed in the registry when it was looked up, and is not any more",
                "Somebody else changes this registry. Run --target=Push again; it builds and signs what is missing.");
        }

        if (build.NeedsNewSignature && artifacts.FindSignature() is { } signature && signature.Verifies(build.Digest, keys[0]))
        {
            await registry.PushSignatureAsync(repository.Repository, build.Digest, signature, keys[0], cancellationToken);
            return "not pushed, it is there; signed by the new key as well";
        }

        return "not pushed, it is there and its signature verifies";
    }

    private async Task<(string What, long Bytes)> PushAsync(
        BuildRecord build,
        SignedBuild signed,
        ImageArtifacts artifacts,
        ImageReference repository,
        RegistryClient registry,
        BlobUploads uploads,
        IReadOnlyList<PublicKey> keys,
        CancellationToken cancellationToken)
    {
        var (archive, signature) = signed;
        var progress = new UploadProgress(build.Image, [.. archive.Blobs], _reporter);
        var sizes = await Task.WhenAll(archive.Blobs.Select(async blob =>
        {
            var size = await uploads.PushAsync(repository.Repository, blob, progress.Count(blob, archive), cancellationToken);
            progress.Complete(blob);
            return size;
        }));
        if (await registry.FindDigestAsync(repository.Repository, build.Digest.ToString(), cancellationToken) is null)
        {
            await registry.PushManifestAsync(repository.Repository, build.Digest.ToString(), archive.ManifestBytes, archive.Manifest.MediaType, cancellationToken);
        }

        if (await OtherFormAsync(registry, repository, build.Digest, signature.Form, keys, cancellationToken) is { } form)
        {
            return ($"pushed {sizes.Sum() / 1e6:0.0} MB; it was signed in the {Name(form)} form before, which stays", sizes.Sum());
        }

        var signer = keys.First(key => signature.Verifies(build.Digest, key));
        await registry.PushSignatureAsync(repository.Repository, build.Digest, signature, signer, cancellationToken);
        foreach (var files in artifacts.Attestations.Where(files => File.Exists(files.Envelope)))
        {
            var attestation = new Attestation(await File.ReadAllBytesAsync(files.Envelope, cancellationToken));
            await registry.PushAttestationAsync(repository.Repository, build.Digest, files.PredicateType, attestation, signature.Form, signer, cancellationToken);
        }

        return ($"pushed {sizes.Sum() / 1e6:0.0} MB", sizes.Sum());
    }

    /// <summary>
    /// The form that the image is signed in already, if that is the other one: never both on one image, because admission
    /// controllers that find a bundle look at nothing else.
    /// </summary>
    private static async Task<SignatureForm?> OtherFormAsync(
        RegistryClient registry,
        ImageReference repository,
        Digest digest,
        SignatureForm form,
        IReadOnlyList<PublicKey> keys,
        CancellationToken cancellationToken)
    {
        var others = (await registry.ReadSignaturesAsync(repository.Repository, digest, cancellationToken)).Where(other => other.Form != form).ToList();
        return others.Count == 0 ? null
            : others.Find(other => other.Verifies(digest, keys)) is { } own ? own.Form
            : throw new K3sException(
                ExitCodes.Failed,
                $"{repository.Name}@{digest} has signatures of the {Name(others[0].Form)} form by somebody else's key; an image is never given both forms",
                "Set 'signing.form' to that form, or delete those signatures.");
    }

    private static string Name(SignatureForm form) => form.ToString().ToLowerInvariant();

    /// <summary>What may be pushed: an archive with a signature that verifies.</summary>
    private sealed record SignedBuild(OciArchive Archive, ImageSignature Signature)
    {
        /// <exception cref="K3sException">It is not signed by one of the keys.</exception>
        public static SignedBuild Read(BuildRecord build, ImageArtifacts artifacts, IReadOnlyList<PublicKey> keys)
        {
            var archive = OciArchive.Open(artifacts.Archive);
            return archive.Digest == build.Digest && artifacts.FindSignature() is { } signature && signature.Verifies(build.Digest, keys)
                ? new(archive, signature)
                : throw new K3sException(
                    ExitCodes.Failed,
                    $"image {build.Image} is not pushed: no signature in {artifacts.Directory} verifies for {archive.Digest} with {string.Join(" or ", keys.Select(key => key.File))}",
                    "Run --target=Sign; if it was signed, its key is not the one that is checked in.");
        }
    }
}
