using System.Collections.Concurrent;
using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Hosting;
using Cake.K3s.Images.Attestations;
using Cake.K3s.Images.Registry;
using Cake.K3s.Reporting;

namespace Cake.K3s.Images.Pruning;

/// <summary>
/// Deletes images of the app that no environment runs or could roll back to, with their signatures and attestations. An image
/// goes as a whole, by its digest, which takes all its tags along; on Gitea by its package API, version by version.
/// </summary>
public sealed class RegistryPruner
{
    // A build that is under way, here or in CI, may be pushed and not deployed yet.
    private static readonly TimeSpan Young = TimeSpan.FromDays(1);

    private readonly PipelineRun _run;
    private readonly IEnumerable<IEnvironmentOpener> _openers;
    private readonly IImagesInUse _inUse;
    private readonly RegistryClients _registries;
    private readonly IReporter _reporter;
    private readonly TimeProvider _time;

    internal RegistryPruner(
        PipelineRun run,
        IEnumerable<IEnvironmentOpener> openers,
        IImagesInUse inUse,
        RegistryClients registries,
        IReporter reporter,
        TimeProvider time)
    {
        _run = run;
        _openers = openers;
        _inUse = inUse;
        _registries = registries;
        _reporter = reporter;
        _time = time;
    }

    /// <summary>Shows what would go; with <c>--confirm</c> deletes it.</summary>
    /// <exception cref="K3sException">It cannot be told what is in use, or the registry refused.</exception>
    public async Task PruneAsync()
    {
        var cancellationToken = _run.Cancellation;
        var environment = await _run.EnvironmentAsync();
        var used = await UsedAsync(environment, cancellationToken);
        using var registry = _registries.Open(environment.Registry);
        using var gitea = await _registries.FindGiteaAsync(environment.Registry, cancellationToken);
        if (gitea is not null)
        {
            _reporter.Step("registry", $"{environment.Registry.Host} is Gitea {gitea.Version}: its package API deletes tag by tag");
        }

        var keys = SigningKeys.Accepted(environment.SigningKey);
        var gone = 0;
        foreach (var name in _run.Settings.Images.Keys.Order(StringComparer.Ordinal))
        {
            var repository = ImageReference.Parse(environment.Registry.RepositoryOf(name)).Repository;
            var plan = PrunePlan.Of(await TagsAsync(registry, repository, cancellationToken), used);
            foreach (var entry in plan)
            {
                var reason = entry.KeptBecause ?? await WhyYoungAsync(registry, repository, entry.Digest, keys, cancellationToken);
                var what = $"{entry.Digest} ({string.Join(", ", entry.Tags.DefaultIfEmpty("no tag"))})";
                if (reason is not null)
                {
                    _reporter.Step(name, $"stays: {what}: {reason}");
                    continue;
                }

                gone++;
                _reporter.Step(name, $"{(_run.Options.Confirm ? "deleted" : "would go")}: {what}, and {entry.Companions.Length} signatures and attestations");
                if (_run.Options.Confirm)
                {
                    await DeleteAsync(registry, gitea, repository, entry, cancellationToken);
                }
            }
        }

        _reporter.Step("registry", _run.Options.Confirm
            ? $"{gone} images deleted; the registry's garbage collection frees their space"
            : $"{gone} images would go; --confirm deletes them");
    }

    /// <summary>What the environments that share this registry use, and what was pushed here last.</summary>
    private async Task<IReadOnlyDictionary<Digest, string>> UsedAsync(DeployEnvironment environment, CancellationToken cancellationToken)
    {
        var used = new Dictionary<Digest, string>();
        foreach (var (digest, reason) in await _inUse.ReadAsync(environment, cancellationToken))
        {
            used.TryAdd(digest, reason);
        }

        var address = environment.Registry.RepositoryOf("").TrimEnd('/');
        foreach (var other in _run.Settings.Environments.Values.Where(other => other.Name != environment.Name && other.Registry?.Address == address))
        {
            var opened = await _openers.First(opener => opener.CanOpen(other)).OpenAsync(_run.Settings, other, cancellationToken);
            foreach (var (digest, reason) in await _inUse.ReadAsync(opened, cancellationToken))
            {
                used.TryAdd(digest, reason);
            }
        }

        foreach (var push in _run.Settings.Images.Keys.Select(name => new ImageArtifacts(_run.Options.ArtifactsDirectory, name).FindPush()).OfType<PushRecord>())
        {
            used.TryAdd(push.Digest, "it was pushed from here last");
        }

        return used;
    }

    private static async Task<IReadOnlyDictionary<string, Digest>> TagsAsync(RegistryClient registry, string repository, CancellationToken cancellationToken)
    {
        var tags = new ConcurrentDictionary<string, Digest>(StringComparer.Ordinal);
        await Parallel.ForEachAsync(
            registry.TagsAsync(repository, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (tag, token) =>
            {
                if (await registry.FindDigestAsync(repository, tag, token) is { } digest)
                {
                    tags[tag] = digest;
                }
            });
        return tags;
    }

    private async Task<string?> WhyYoungAsync(RegistryClient registry, string repository, Digest digest, IReadOnlyList<PublicKey> keys, CancellationToken cancellationToken)
    {
        var built = (await registry.ReadAttestationsAsync(repository, digest, cancellationToken))
            .Select(attestation => attestation.Read(digest, keys))
            .OfType<(string PredicateType, System.Text.Json.Nodes.JsonNode Predicate)>()
            .Where(statement => statement.PredicateType == Attestation.ProvenanceType)
            .Select(statement => Provenance.FinishedOn(statement.Predicate))
            .Max();
        return built is { } time && _time.GetUtcNow() - time < Young ? "it was built within a day" : null;
    }

    private static async Task DeleteAsync(RegistryClient registry, GiteaPackages? gitea, string repository, PruneEntry entry, CancellationToken cancellationToken)
    {
        var referrers = await registry.ReferrersAsync(repository, entry.Digest, cancellationToken);

        // The image before its signature: at no moment is there an image without one.
        await DeleteAsync(registry, gitea, repository, entry.Digest, entry.Tags, cancellationToken);
        foreach (var referrer in referrers.Manifests)
        {
            await DeleteAsync(registry, gitea, repository, referrer.Digest, [], cancellationToken);
        }

        foreach (var (tag, digest) in entry.Companions)
        {
            await DeleteAsync(registry, gitea, repository, digest, [tag], cancellationToken);
        }
    }

    private static async Task DeleteAsync(
        RegistryClient registry,
        GiteaPackages? gitea,
        string repository,
        Digest digest,
        ImmutableArray<string> tags,
        CancellationToken cancellationToken)
    {
        if (gitea is null)
        {
            await registry.DeleteManifestAsync(repository, digest, cancellationToken);
            return;
        }

        // The tags first: they are what the image is pulled by.
        foreach (var version in tags.Append(digest.ToString()))
        {
            await gitea.DeleteAsync(repository, version, cancellationToken);
        }
    }
}
