using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;
using LibGit2Sharp;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Rules about the files around the manifests: what git is told to overlook, and how images are built.</summary>
internal static class RepositoryRules
{
    public static readonly LintRule Hidden = new(
        "K3S016",
        "file-hidden",
        LintSeverity.Error,
        "A file that git or Docker overlooks is there on one machine and missing on the next.",
        "Take the pattern out of .gitignore or .dockerignore, or take the file back with an exclamation mark.");

    public static IEnumerable<LintFinding> Check(DeploySettings settings, IEnumerable<Manifest> manifests)
    {
        using var repository = Repository.Discover(settings.Root) is { } found ? new Repository(found) : null;
        var git = new GitIgnore(repository);
        return
        [
            .. manifests.Select(manifest => manifest.Place.File).Distinct().SelectMany(file => Files(settings.Root, file))
                .Where(file => git.Hides(Path.Combine(settings.Root, file)))
                .Select(file => new LintFinding(Hidden, new(file, 0, 0), file, "git ignores this manifest")),
            .. settings.Images.OrderBy(image => image.Key, StringComparer.Ordinal)
                .SelectMany(image => DockerfileRules.Check(settings.Root, image.Key, image.Value, git)),
        ];
    }

    /// <summary>The files that a manifest comes from: those of its folder where a kustomization made it.</summary>
    private static IEnumerable<string> Files(string root, string file)
    {
        if (File.Exists(Path.Combine(root, file)))
        {
            return [file];
        }

        const string Built = " (built)";
        return file.EndsWith(Built, StringComparison.Ordinal) && Path.Combine(root, file[..^Built.Length]) is var folder && Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => Path.GetRelativePath(root, path))
            : [];
    }
}
