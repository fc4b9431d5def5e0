using System.Collections.Immutable;
using System.Text.Json;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Oci;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images;

/// <summary>Tells which commits the app's images were built from: by their label, or by what BuildImage left.</summary>
internal sealed class ImageRevisions(PipelineRun run, RegistryClients registries, IReporter reporter)
{
    /// <summary>The commits of those images that say so; with <c>+changes</c> where files differed from the commit.</summary>
    /// <param name="images">As <c>repository@sha256:…</c>; those of other registries are left out.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task<ImmutableDictionary<string, string>> FindAsync(IEnumerable<string> images, CancellationToken cancellationToken)
    {
        var environment = await run.EnvironmentAsync();
        var own = environment.Registry.RepositoryOf("");
        var found = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        var asked = images.Where(image => image.StartsWith(own, StringComparison.Ordinal) && image.Contains('@', StringComparison.Ordinal)).ToList();
        foreach (var build in run.Settings.Images.Keys.Select(name => new ImageArtifacts(run.Options.ArtifactsDirectory, name).FindBuild()))
        {
            // One that the registry had already was built at an earlier commit.
            if (build is { InRegistry: false, Commit: { } commit } && $"{build.Repository}@{build.Digest}" is var image && asked.Remove(image))
            {
                found[image] = commit + (build.IsDirty ? "+changes" : "");
            }
        }

        if (asked.Count == 0)
        {
            return found.ToImmutable();
        }

        using var registry = registries.Open(environment.Registry);
        try
        {
            var labels = await Task.WhenAll(asked.Select(image => LabelAsync(registry, ImageReference.Parse(image), cancellationToken)));
            found.AddRange(asked.Zip(labels).Where(pair => pair.Second is not null).Select(pair => KeyValuePair.Create(pair.First, pair.Second!)));
        }
        catch (Exception exception) when (exception is K3sException or HttpRequestException or TimeoutException or JsonException)
        {
            // What a plan says does not hang on it.
            reporter.Warning("plan", $"the commits of images that run now are not known: {exception.Message}");
        }

        return found.ToImmutable();
    }

    private static async Task<string?> LabelAsync(RegistryClient registry, ImageReference reference, CancellationToken cancellationToken)
    {
        if (await registry.FindManifestAsync(reference.Repository, reference.TagOrDigest, cancellationToken) is not { } manifest
            || MediaTypes.IsIndex(manifest.MediaType)
            || await registry.FindBlobAsync(reference.Repository, manifest.Read().Config, cancellationToken) is not { } config)
        {
            return null;
        }

        return JsonSerializer.Deserialize(config, OciJson.Default.OciImageConfig)?.Config?.Labels?.GetValueOrDefault(ImageBuilder.RevisionLabel);
    }
}
