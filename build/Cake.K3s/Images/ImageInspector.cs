using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images;

/// <summary>Tells who signed an image, what it was built from and when, and what is in it: only what the app's key has signed.</summary>
public sealed class ImageInspector
{
    private readonly PipelineRun _run;
    private readonly RegistryClients _registries;
    private readonly IReporter _reporter;

    internal ImageInspector(PipelineRun run, RegistryClients registries, IReporter reporter)
    {
        _run = run;
        _registries = registries;
        _reporter = reporter;
    }

    /// <summary>Verifies the image that <c>--image</c> names, or else all that were pushed last.</summary>
    /// <exception cref="K3sException">One is not there, or not signed by the app's key.</exception>
    public async Task VerifyAsync()
    {
        var environment = await _run.EnvironmentAsync();
        var images = _run.Options.Image is { } given
            ? [Resolve(given, environment)]
            : ReleaseImages.Read(_run.Options.ArtifactsDirectory, _run.Settings, environment).Values.Order(StringComparer.Ordinal).ToArray();
        var keys = SigningKeys.Accepted(environment.SigningKey);
        foreach (var image in images)
        {
            await VerifyAsync(image, environment.Registry, keys);
        }
    }

    private async Task VerifyAsync(string image, RegistryConnection own, IReadOnlyList<PublicKey> keys)
    {
        var cancellationToken = _run.Cancellation;
        var reference = Parse(image);
        using var registry = _registries.Open(reference.Registry == own.Host ? own : own with { Host = reference.Registry, Insecure = false });
        var digest = await registry.FindDigestAsync(reference.Repository, reference.TagOrDigest, cancellationToken)
            ?? throw new K3sException(ExitCodes.Failed, $"there is no image {reference}", "--target=Push pushes what deploy.yaml builds; --image takes a full reference too.");
        _reporter.Step(image, $"is {reference.Name}@{digest}");
        var signatures = await registry.ReadSignaturesAsync(reference.Repository, digest, cancellationToken);
        var signers = keys.Where(key => signatures.Any(signature => signature.Verifies(digest, key))).ToList();
        if (signers.Count == 0)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{reference.Name}@{digest} is not signed by {string.Join(" or ", keys.Select(key => key.File))}; it has {signatures.Count} other signature(s)",
                "Do not run it; --target=Push builds and signs the image of the present sources.");
        }

        if (reference.Digest is null && ContentKey.IsTag(reference.TagOrDigest) && !signatures.Any(signature => ContentKey.TagOf(signature.ContentKey ?? "") == reference.TagOrDigest))
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"{reference} was moved: the image that it names, {digest}, is signed for another key than its tag says",
                "Somebody else changes this registry. --target=Push builds and signs the image of the present sources.");
        }

        _reporter.Step(image, "signed by " + string.Join(" and ", signers.Select(key => $"{Path.GetFileName(key.File)} ({key.Fingerprint.Short}…)")));
        var statements = (await registry.ReadAttestationsAsync(reference.Repository, digest, cancellationToken))
            .Select(attestation => attestation.Read(digest, keys))
            .OfType<(string PredicateType, System.Text.Json.Nodes.JsonNode Predicate)>()
            .ToList();
        foreach (var (type, predicate) in statements)
        {
            IEnumerable<string> lines = type switch
            {
                Attestation.ProvenanceType => Provenance.Describe(predicate),
                Attestation.BillOfMaterialsType => ["holds " + BillOfMaterials.Describe(predicate)],
                _ => ["attested: " + type],
            };
            foreach (var line in lines)
            {
                _reporter.Step(image, line);
            }
        }

        if (statements.Count == 0)
        {
            _reporter.Warning(image, "nothing is attested about it: neither how it was built nor what is in it");
        }
    }

    // A name of deploy.yaml stands for what was pushed last.
    private string Resolve(string given, DeployEnvironment environment) =>
        _run.Settings.Images.ContainsKey(given) ? ReleaseImages.Read(_run.Options.ArtifactsDirectory, _run.Settings, environment)[given] : given;

    private static ImageReference Parse(string image)
    {
        try
        {
            return ImageReference.Parse(image);
        }
        catch (FormatException e)
        {
            throw new K3sException(ExitCodes.BadInput, $"--image: {e.Message}", "Name an image of deploy.yaml, or a reference: --image=registry/repository@sha256:…", innerException: e);
        }
    }
}
