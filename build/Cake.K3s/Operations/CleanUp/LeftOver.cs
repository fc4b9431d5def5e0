using System.Collections.Immutable;
using System.Text.RegularExpressions;

namespace Cake.K3s.Operations.CleanUp;

/// <summary>A file of the repository that nothing needs any more.</summary>
/// <param name="Path">Its path, from the repository's root.</param>
/// <param name="Why">What it is from.</param>
internal sealed partial record LeftOver(string Path, string Why)
{
    /// <summary>Judges a file by its name and its text; null for one that is needed, or not known.</summary>
    /// <param name="path">Its path, from the repository's root.</param>
    /// <param name="text">Reads it.</param>
    public static LeftOver? Judge(string path, Func<string> text)
    {
        var name = System.IO.Path.GetFileName(path);
        return name switch
        {
            _ when SecretsExample.IsMatch(name) => new(path, "an example of secrets: deploy.yaml says where each comes from"),
            _ when Yaml.IsMatch(name) && SwarmService.IsMatch(text()) => new(path, "a Docker Swarm's stack: the manifests have taken its place"),
            _ when Script.IsMatch(name) && SwarmCommand.IsMatch(text()) => new(path, "a script for a Docker Swarm: --target=Deploy has taken its place"),
            _ => null,
        };
    }

    /// <summary>All of a repository's.</summary>
    /// <param name="paths">The files.</param>
    /// <param name="read">Reads one.</param>
    public static ImmutableArray<LeftOver> Find(IEnumerable<string> paths, Func<string, string> read) =>
        [.. paths.Select(path => Judge(path, () => read(path))).OfType<LeftOver>().OrderBy(found => found.Path, StringComparer.Ordinal)];

    [GeneratedRegex(@"^(\.?secrets?|\.env\.secrets?)[._-](example|sample|template)(\.(ya?ml|env|txt|json))?$|^(example|sample)[._-]secrets?\.", RegexOptions.IgnoreCase)]
    private static partial Regex SecretsExample { get; }

    [GeneratedRegex(@"\.ya?ml$", RegexOptions.IgnoreCase)]
    private static partial Regex Yaml { get; }

    [GeneratedRegex(@"\.(sh|ps1|mk)$|^Makefile$", RegexOptions.IgnoreCase)]
    private static partial Regex Script { get; }

    // Compose files say none of these: only a swarm places tasks, and has replicas by mode.
    [GeneratedRegex(@"(?ms)^services:.*^\s+deploy:\s*$.*?^\s+(placement|update_config|rollback_config|endpoint_mode|mode):")]
    private static partial Regex SwarmService { get; }

    [GeneratedRegex(@"\bdocker\s+(stack\s+(deploy|rm)|swarm\s+(init|join|leave)|service\s+(create|update|scale))\b")]
    private static partial Regex SwarmCommand { get; }
}
