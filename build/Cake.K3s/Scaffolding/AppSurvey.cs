using System.Collections.Immutable;

namespace Cake.K3s.Scaffolding;

/// <summary>What there is of an app before it has a deploy.yaml.</summary>
/// <param name="Name">A name for it: a DNS label.</param>
/// <param name="Images">What its Dockerfiles build, by name.</param>
/// <param name="Manifests">Its Kubernetes manifests; null where it has none.</param>
/// <param name="Tests">Commands that test it.</param>
/// <param name="Contexts">The contexts of the user's kubeconfig that are not clusters of this machine.</param>
/// <param name="Kubeconfig">The kubeconfig, as deploy.yaml names it.</param>
/// <param name="Registry">The registry beside the git server that the app comes from; null where none is known.</param>
internal sealed record AppSurvey(
    string Name,
    ImmutableSortedDictionary<string, FoundImage> Images,
    FoundManifests? Manifests,
    ImmutableArray<string> Tests,
    ImmutableArray<string> Contexts,
    string Kubeconfig,
    string? Registry);

/// <summary>An image that can be built.</summary>
/// <param name="Context">The build context, relative to the app's directory; <c>.</c> for that itself.</param>
/// <param name="DockerfilePath">The Dockerfile, relative to the context.</param>
/// <param name="Dockerfile">What it says.</param>
/// <param name="Prepare">The command that makes what it copies; null where none is known.</param>
/// <param name="Missing">What it copies and what is neither there nor made by <see cref="Prepare"/>.</param>
internal sealed record FoundImage(
    string Context,
    string DockerfilePath,
    Dockerfile Dockerfile,
    string? Prepare,
    ImmutableArray<string> Missing);

/// <summary>Manifests that are there.</summary>
/// <param name="Folders">Their folders, relative to the app's directory.</param>
/// <param name="Variables">The names that stand as <c>${NAME}</c> outside of Secrets.</param>
/// <param name="Secrets">The names that stand as <c>${NAME}</c> in Secrets.</param>
/// <param name="Images">The images that workloads name, with their places.</param>
internal sealed record FoundManifests(
    ImmutableArray<string> Folders,
    ImmutableSortedSet<string> Variables,
    ImmutableSortedSet<string> Secrets,
    ImmutableArray<NamedImage> Images);

/// <summary>An image that a manifest names.</summary>
/// <param name="Place">File and line.</param>
/// <param name="Reference">As it is written.</param>
internal sealed record NamedImage(string Place, string Reference)
{
    /// <summary>The last part of the repository's name, without tag and digest.</summary>
    public string ShortName => Reference.Split('@')[0].Split('/')[^1].Split(':')[0];
}
