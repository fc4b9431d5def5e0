namespace Cake.K3s.Tools;

/// <summary>
/// Fetched content under <c>.tools/</c>, one folder a version: <c>.tools/cosign/2.5.0-2+b4-1a2b3c4d/</c>. A folder that is there
/// is complete: it is filled under another name and renamed, so that a run that is killed leaves nothing half done behind.
/// </summary>
/// <param name="root">Absolute path of <c>.tools/</c>.</param>
internal sealed class ContentStore(string root)
{
    private const string PartialPrefix = ".partial-";

    /// <summary>The newest complete folder of a content, or null.</summary>
    /// <param name="name">The content's name.</param>
    /// <param name="recipe">What tells how it is made; content that was made otherwise is not found.</param>
    public string? Find(string name, string recipe)
    {
        var directory = new DirectoryInfo(Path.Combine(root, name));
        return !directory.Exists
            ? null
            : directory.EnumerateDirectories($"*-{recipe}")
                .Where(content => !content.Name.StartsWith(PartialPrefix, StringComparison.Ordinal))
                .MaxBy(content => content.LastWriteTimeUtc)?.FullName;
    }

    /// <summary>The folder of a content; filled if it is not there yet, once even if several runs ask at the same time.</summary>
    /// <param name="name">The content's name.</param>
    /// <param name="recipe">What tells how it is made.</param>
    /// <param name="fill">Fills the folder that it is given and returns the content's version.</param>
    /// <param name="cancellationToken">Cancels the wait for another run, and the filling.</param>
    public async Task<string> EnsureAsync(string name, string recipe, Func<string, Task<string>> fill, CancellationToken cancellationToken)
    {
        var directory = Directory.CreateDirectory(Path.Combine(root, name)).FullName;
        using var held = await FileLock.ExclusiveAsync(Path.Combine(directory, ".lock"), cancellationToken);
        if (Find(name, recipe) is { } complete)
        {
            return complete;
        }

        foreach (var leftover in Directory.EnumerateDirectories(directory, PartialPrefix + "*"))
        {
            RemoveIfUnused(leftover);
        }

        var partial = Directory.CreateDirectory(Path.Combine(directory, PartialPrefix + Guid.NewGuid().ToString("N")));
        try
        {
            var version = await fill(partial.FullName);
            var content = Path.Combine(directory, $"{version}-{recipe}");
            Directory.Move(partial.FullName, content);
            return content;
        }
        catch
        {
            RemoveIfUnused(partial.FullName);
            throw;
        }
    }

    /// <summary>Removes a directory that does not count any more, unless something still writes to it.</summary>
    public static void RemoveIfUnused(string directory)
    {
        try
        {
            Directory.Delete(directory, recursive: true);
        }
        catch (IOException)
        {
            // What a killed run started may still write to it. The next run that fetches something removes it.
        }
    }
}
