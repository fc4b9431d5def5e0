using System.Collections.Immutable;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>Looks up what the base images' tags name now and writes it to <c>images.lock</c>.</summary>
public sealed class BaseImageRefresh
{
    private readonly PipelineRun _run;
    private readonly RegistryClients _registries;
    private readonly EnvironmentVariables _variables;
    private readonly IReporter _reporter;

    internal BaseImageRefresh(PipelineRun run, RegistryClients registries, EnvironmentVariables variables, IReporter reporter)
    {
        _variables = variables;
        _run = run;
        _registries = registries;
        _reporter = reporter;
    }

    /// <summary>Pins the base images of all images, in every environment, anew.</summary>
    /// <exception cref="K3sException">A registry does not have one, or cannot be reached; nothing is written then.</exception>
    public async Task RefreshAsync()
    {
        var file = BaseImageLock.FileIn(_run.Settings.Root);
        var before = BaseImageLock.Read(file).Digests;
        var found = await Task.WhenAll(References(_run.Settings).Select(async reference =>
            (Key: BaseImageLock.KeyOf(reference), Digest: await ResolveAsync(reference))));
        var after = found.ToImmutableSortedDictionary(pin => pin.Key, pin => pin.Digest, StringComparer.Ordinal);
        foreach (var (reference, digest) in after)
        {
            var old = before.GetValueOrDefault(reference);
            _reporter.Step(reference, old is null ? $"pinned to {digest}" : old == digest ? $"still {digest}" : $"was {old}, is {digest}");
        }

        if (!before.SequenceEqual(after))
        {
            await File.WriteAllTextAsync(file, BaseImageLock.Text(after), _run.Cancellation);
            _reporter.Step("images", $"written: {file}; check it in");
        }
    }

    /// <summary>The base images that a tag names and a registry can be asked about.</summary>
    internal static IReadOnlyList<ImageReference> References(DeploySettings settings) =>
        [.. from image in settings.Images
            let dockerfile = Path.Combine(settings.Root, image.Value.Context, image.Value.Dockerfile)
            where File.Exists(dockerfile)
            let text = File.ReadAllText(dockerfile)
            from arguments in settings.Environments.Values
                .Select(environment => image.Value.Arguments.SetItems(environment.Arguments.GetValueOrDefault(image.Key) ?? []))
                .DefaultIfEmpty(image.Value.Arguments)
            from found in BaseImages.In(text, arguments)
            let reference = BaseImageLock.TryParse(found)
            where reference is { Digest: null }
            group reference by BaseImageLock.KeyOf(reference) into same
            orderby same.Key
            select same.First()];

    private async Task<Digest> ResolveAsync(ImageReference reference)
    {
        // A registry that an environment deploys from may be a plain HTTP one; every other is not.
        var insecure = _run.Settings.Environments.Values.Any(environment =>
            environment.Registry is { Insecure: true } own && own.Address.Split('/')[0] == reference.Registry);
        var dockerConfig = _variables["DOCKER_CONFIG"] ?? UserPath.Resolve("~/.docker", _run.Settings.Root, _variables);
        using var client = _registries.Open(new(reference.Registry, "", insecure, dockerConfig));
        return await client.FindDigestAsync(reference.Repository, reference.TagOrDigest, _run.Cancellation)
            ?? throw new K3sException(ExitCodes.Failed, $"there is no image {reference}", "Look at the FROM lines of the Dockerfiles.");
    }
}
