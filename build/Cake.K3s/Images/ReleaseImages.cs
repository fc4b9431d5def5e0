using System.Collections.Immutable;
using Cake.K3s.Environments;
using Cake.K3s.Settings;

namespace Cake.K3s.Images;

/// <summary>The images that a deploy takes: by name, as <c>repository@sha256:…</c>. Read from what Push left, so that Deploy can run on its own.</summary>
internal static class ReleaseImages
{
    /// <summary>Reads what Push left for an environment.</summary>
    /// <param name="artifactsDirectory">Absolute path of <c>artifacts/</c>.</param>
    /// <param name="settings">deploy.yaml.</param>
    /// <param name="environment">Where the images go to.</param>
    /// <exception cref="K3sException">An image is not pushed, was pushed to another registry, or was built again since.</exception>
    public static ImmutableDictionary<string, string> Read(string artifactsDirectory, DeploySettings settings, DeployEnvironment environment) =>
        settings.Images.Keys.ToImmutableDictionary(name => name, name => Read(new ImageArtifacts(artifactsDirectory, name), environment));

    /// <summary>Reads what BuildImage left, pushed or not: enough to say what a deploy would change.</summary>
    /// <param name="artifactsDirectory">Absolute path of <c>artifacts/</c>.</param>
    /// <param name="settings">deploy.yaml.</param>
    /// <param name="environment">Where the images would go to.</param>
    /// <exception cref="K3sException">An image is not built.</exception>
    public static ImmutableDictionary<string, string> ReadBuilt(string artifactsDirectory, DeploySettings settings, DeployEnvironment environment) =>
        settings.Images.Keys.ToImmutableDictionary(
            name => name,
            name => $"{environment.Registry.RepositoryOf(name)}@{new ImageArtifacts(artifactsDirectory, name).ReadBuild().Digest}");

    private static string Read(ImageArtifacts artifacts, DeployEnvironment environment)
    {
        var name = artifacts.Image;
        var next = $"Run --target=Push --environment={environment.Name}.";
        if (artifacts.FindPush() is not { } push)
        {
            throw new K3sException(ExitCodes.Failed, $"image {name} is not pushed: there is no pushed.json in {artifacts.Directory}", next);
        }

        var repository = environment.Registry.RepositoryOf(name);
        if (push.Repository != repository)
        {
            throw new K3sException(ExitCodes.Failed, $"image {name} was pushed to {push.Repository}, not to {repository}", next);
        }

        return artifacts.FindBuild() is not { } build || (build.Digest == push.Digest && build.Repository == push.Repository)
            ? $"{push.Repository}@{push.Digest}"
            : throw new K3sException(ExitCodes.Failed, $"image {name} was built again ({build.Digest}) since it was pushed ({push.Digest})", next);
    }
}
