using LibGit2Sharp;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>What git leaves out of commits.</summary>
/// <param name="repository">Null where there is none: nothing is left out then.</param>
internal sealed class GitIgnore(Repository? repository)
{
    /// <summary>Whether a file or a folder would be missing in a fresh clone: ignored, and not committed in spite of that.</summary>
    public bool Hides(string path)
    {
        if (repository?.Info.WorkingDirectory is not { } work
            || Path.GetRelativePath(work, path).Replace('\\', '/') is var relative && relative.StartsWith("..", StringComparison.Ordinal))
        {
            return false;
        }

        return repository.Ignore.IsPathIgnored(Directory.Exists(path) ? relative.TrimEnd('/') + '/' : relative)
            && !repository.Index.Any(entry => entry.Path == relative || entry.Path.StartsWith(relative.TrimEnd('/') + '/', StringComparison.Ordinal));
    }
}
