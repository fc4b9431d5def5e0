using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images;

/// <summary>
/// Decides whether a release's images may be deployed: those of the app must be signed by its key, all others must be pinned
/// by digest. Asked for what the manifests hold, not for what was pushed, so that a hand-written image is seen as well.
/// </summary>
public sealed class ImageGate
{
    private readonly PipelineRun _run;
    private readonly RegistryClients _registries;
    private readonly IReporter _reporter;

    internal ImageGate(PipelineRun run, RegistryClients registries, IReporter reporter)
    {
        _run = run;
        _registries = registries;
        _reporter = reporter;
    }

    /// <summary>Checks the images of a release.</summary>
    /// <param name="images">Every <c>image:</c> of its manifests, with all names replaced.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="K3sException">At least one may not be deployed; the message names each with the reason.</exception>
    public async Task CheckAsync(IEnumerable<string> images, CancellationToken cancellationToken)
    {
        var environment = await _run.EnvironmentAsync();
        var keys = SigningKeys.Accepted(environment.SigningKey);
        using var registry = _registries.Open(environment.Registry);
        var own = environment.Registry.RepositoryOf("");
        var distinct = images.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var objections = await Task.WhenAll(distinct.Select(image => ObjectionAsync(image, own, registry, keys, cancellationToken)));
        var refused = distinct.Zip(objections).Where(pair => pair.Second is not null).Select(pair => $"{pair.First}: {pair.Second}").ToList();
        if (refused.Count > 0)
        {
            throw new K3sException(
                ExitCodes.Failed,
                $"not deployed: {refused[0]}" + (refused.Count > 1 ? $" (and {refused.Count - 1} more)" : ""),
                "Images of the app are signed by --target=Push; pin all others by digest (image: NAME@sha256:…).",
                refused.Count > 1 ? refused : []);
        }

        _reporter.Step("images", $"{distinct.Count} checked: the app's are signed by {string.Join(" or ", keys.Select(key => Path.GetFileName(key.File)))}, others are pinned by digest");
    }

    private static async Task<string?> ObjectionAsync(string image, string own, RegistryClient registry, IReadOnlyList<PublicKey> keys, CancellationToken cancellationToken)
    {
        ImageReference reference;
        try
        {
            reference = ImageReference.Parse(image);
        }
        catch (FormatException e)
        {
            return e.Message;
        }

        if (reference.Digest is not { } digest)
        {
            return "it is not pinned by digest";
        }

        if (!reference.Name.StartsWith(own, StringComparison.Ordinal))
        {
            return null;
        }

        // The name in the payload, so that one signed image of the app cannot stand in for another.
        var name = reference.Repository.Split('/')[^1];
        var signatures = await registry.ReadSignaturesAsync(reference.Repository, digest, cancellationToken);
        return signatures.Any(signature => signature.Verifies(digest, keys) && signature.Name == name)
            ? null
            : signatures.Count == 0 ? "it is not signed" : "none of its signatures is one by the app's key for this image";
    }
}
