using LibGit2Sharp;

namespace Cake.K3s.Images;

/// <summary>Lists the files that an image is made of.</summary>
internal static class ContextFiles
{
    /// <summary>The files that Docker would be sent.</summary>
    /// <param name="context">Absolute path of the context.</param>
    /// <param name="ignore">Its .dockerignore.</param>
    /// <returns>Absolute paths.</returns>
    public static IEnumerable<string> Sent(string context, DockerIgnore ignore) =>
        Walk(context, directory => ignore.IgnoresAllBelow(Relative(context, directory))).Where(file => !ignore.Ignores(Relative(context, file)));

    /// <summary>The files that a <c>prepare</c> command starts from: those of the globs, or all of the context, that git does not ignore.</summary>
    /// <param name="context">Absolute path of the context.</param>
    /// <param name="globs">Relative to the context; they may lead out of it. Empty for all of the context.</param>
    public static IReadOnlyList<string> Sources(string context, IReadOnlyCollection<string> globs)
    {
        using var git = GitIgnore.Of(context);
        return [.. (globs.Count == 0 ? ["**"] : globs).SelectMany(glob => Matching(context, glob, git)).Distinct(StringComparer.Ordinal)];
    }

    private static IEnumerable<string> Matching(string context, string glob, GitIgnore git)
    {
        var parts = glob.Replace('\\', '/').Split('/');
        var plain = parts.TakeWhile(part => part.IndexOfAny(['*', '?']) < 0).ToArray();
        var start = Path.GetFullPath(Path.Combine([context, .. plain]));
        if (plain.Length == parts.Length && File.Exists(start))
        {
            return [start];
        }

        // A glob's own rules are those of .dockerignore: what it names, and all below that.
        var pattern = DockerIgnore.Parse([string.Join('/', parts[plain.Length..]) is { Length: > 0 } rest ? rest : "**"]);
        return Directory.Exists(start)
            ? Walk(start, git.Ignores).Where(file => pattern.Ignores(Relative(start, file)) && !git.Ignores(file))
            : [];
    }

    private static IEnumerable<string> Walk(string directory, Func<string, bool> skips)
    {
        foreach (var entry in new DirectoryInfo(directory).EnumerateFileSystemInfos())
        {
            // A link is itself, not what it points to: so Docker takes it, and so no walk goes round in circles.
            if (entry is DirectoryInfo { LinkTarget: null })
            {
                // What runs of this library keep there is no source, and some of it is open in the sandbox's daemon.
                if (entry.Name is not (".git" or ".sandbox" or ".tools") && !skips(entry.FullName))
                {
                    foreach (var file in Walk(entry.FullName, skips))
                    {
                        yield return file;
                    }
                }
            }
            else
            {
                yield return entry.FullName;
            }
        }
    }

    private static string Relative(string root, string path) => Path.GetRelativePath(root, path).Replace('\\', '/');

    /// <summary>What git ignores; nothing outside a work tree.</summary>
    private sealed class GitIgnore(Repository? repository) : IDisposable
    {
        public static GitIgnore Of(string directory) => new(Repository.Discover(directory) is { } found ? new(found) : null);

        public bool Ignores(string path) =>
            repository?.Info.WorkingDirectory is { } root
            && Path.GetRelativePath(root, path) is var relative
            && !relative.StartsWith("..", StringComparison.Ordinal)
            && repository.Ignore.IsPathIgnored(relative.Replace('\\', '/') + (Directory.Exists(path) ? "/" : ""));

        public void Dispose() => repository?.Dispose();
    }
}
