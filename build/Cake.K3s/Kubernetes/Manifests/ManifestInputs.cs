using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Manifests;

/// <summary>What manifests are read from and what is put into them.</summary>
public sealed record ManifestInputs
{
    /// <summary>Absolute path of the directory of deploy.yaml.</summary>
    public required string Root { get; init; }

    /// <summary>deploy.yaml, for errors about what it names.</summary>
    public required string SettingsFile { get; init; }

    /// <summary>Folders and files, relative to <see cref="Root"/>.</summary>
    public required ImmutableArray<string> Paths { get; init; }

    /// <summary>The migration Job's file, relative to one of <see cref="Paths"/>; null for an app without one.</summary>
    public string? MigrationJob { get; init; }

    /// <summary>The namespace of objects that name none.</summary>
    public required string Namespace { get; init; }

    /// <summary>Values for <c>${NAME}</c>.</summary>
    public required ImmutableDictionary<string, string> Variables { get; init; }

    /// <summary>Secret values for <c>${NAME}</c> in Secret manifests; a null value is not known yet.</summary>
    public required ImmutableDictionary<string, Secret?> Secrets { get; init; }

    /// <summary>
    /// The images by name: what <c>image: NAME</c> becomes, <c>repository@sha256:…</c>; null for an image that is not built yet.
    /// </summary>
    public required ImmutableDictionary<string, string?> Images { get; init; }

    /// <summary>
    /// To check manifests before anything is started: all names are known, but neither digests nor secrets. What is read must not
    /// be applied.
    /// </summary>
    public static ManifestInputs ForCheck(DeploySettings settings, EnvironmentSettings environment) => Of(
        settings,
        environment,
        environment.Namespace ?? settings.App,
        environment.Variables,
        environment.Secrets.ToImmutableDictionary(secret => secret.Key, _ => (Secret?)null),
        settings.Images.ToImmutableDictionary(image => image.Key, _ => (string?)null));

    /// <summary>To deploy.</summary>
    /// <param name="settings">deploy.yaml.</param>
    /// <param name="environment">The opened environment.</param>
    /// <param name="images">The images by name, as <c>repository@sha256:…</c>.</param>
    /// <exception cref="K3sException">An image of deploy.yaml is not among them.</exception>
    public static ManifestInputs ForDeploy(
        DeploySettings settings, DeployEnvironment environment, IReadOnlyDictionary<string, string> images) => Of(
        settings,
        environment.Settings,
        environment.Cluster.Namespace,
        environment.Variables,
        environment.Secrets.ToImmutableDictionary(secret => secret.Key, secret => (Secret?)secret.Value),
        settings.Images.ToImmutableDictionary(image => image.Key, image => (string?)Built(images, image.Key)));

    /// <summary>Whether the same files would become the same manifests.</summary>
    internal bool IsSameAs(ManifestInputs other) =>
        this with { Paths = other.Paths, Variables = other.Variables, Secrets = other.Secrets, Images = other.Images } == other
        && Paths.SequenceEqual(other.Paths)
        && AreSame(Variables, other.Variables)
        && AreSame(Secrets, other.Secrets)
        && AreSame(Images, other.Images);

    private static bool AreSame<T>(ImmutableDictionary<string, T> one, ImmutableDictionary<string, T> other) =>
        one.Count == other.Count && one.All(other.Contains);

    private static string Built(IReadOnlyDictionary<string, string> images, string name) =>
        images.TryGetValue(name, out var reference)
            ? reference
            : throw new K3sException(ExitCodes.Failed, $"image {name} has no digest: it was not built and pushed", "run the targets BuildImage, Sign and Push first");

    private static ManifestInputs Of(
        DeploySettings settings,
        EnvironmentSettings environment,
        string namespaceName,
        ImmutableDictionary<string, string> variables,
        ImmutableDictionary<string, Secret?> secrets,
        ImmutableDictionary<string, string?> images) => new()
        {
            Root = settings.Root,
            SettingsFile = Path.GetFileName(settings.File),
            Paths = environment.Manifests.IsDefaultOrEmpty ? settings.Manifests : environment.Manifests,
            MigrationJob = settings.Migration?.Job,
            Namespace = namespaceName,

            // What the library knows itself; deploy.yaml may say otherwise.
            Variables = new Dictionary<string, string>
            {
                ["APP"] = settings.App,
                ["ENVIRONMENT"] = environment.Name,
                ["NAMESPACE"] = namespaceName,
            }.ToImmutableDictionary().SetItems(variables),
            Secrets = secrets,
            Images = images,
        };
}
