using System.Text;
using System.Text.RegularExpressions;

namespace Cake.K3s.Images;

/// <summary>
/// The patterns of a .dockerignore file, with Docker's meaning (moby/patternmatcher): <c>*</c> and <c>?</c> stop at a slash,
/// <c>**</c> does not, a pattern also takes all that is below what it names, <c>!</c> takes files back, the last match decides.
/// </summary>
internal sealed class DockerIgnore
{
    private readonly IReadOnlyList<(Regex Pattern, bool TakesBack)> _patterns;

    private DockerIgnore(IReadOnlyList<(Regex, bool)> patterns) => _patterns = patterns;

    /// <summary>Reads the file's lines.</summary>
    public static DockerIgnore Parse(IEnumerable<string> lines) => new(
        [.. from line in lines
            let text = line.Trim()
            where text.Length > 0 && !line.StartsWith('#')
            let takesBack = text.StartsWith('!')
            let pattern = Clean(takesBack ? text[1..].Trim() : text)
            where pattern.Length > 0
            select (new Regex(ToRegex(pattern), RegexOptions.CultureInvariant | RegexOptions.NonBacktracking), takesBack)]);

    /// <summary>The patterns for a Dockerfile: its own file (<c>Dockerfile.dockerignore</c>) if there is one, else the context's.</summary>
    public static DockerIgnore Read(string context, string dockerfile) =>
        new[] { dockerfile + ".dockerignore", Path.Combine(context, ".dockerignore") }.FirstOrDefault(File.Exists) is { } file
            ? Parse(File.ReadLines(file))
            : Parse([]);

    /// <summary>Whether a file stays out of the build context.</summary>
    /// <param name="path">Relative to the context, with slashes.</param>
    public bool Ignores(string path)
    {
        for (var i = _patterns.Count - 1; i >= 0; i--)
        {
            if (_patterns[i].Pattern.IsMatch(path))
            {
                return !_patterns[i].TakesBack;
            }
        }

        return false;
    }

    /// <summary>Whether nothing below a directory can be in the build context, so that it need not be walked.</summary>
    /// <param name="directory">Relative to the context, with slashes.</param>
    public bool IgnoresAllBelow(string directory) => Ignores(directory) && !_patterns.Any(pattern => pattern.TakesBack);

    private static string Clean(string pattern)
    {
        // As filepath.Clean: "./a", "/a" and "a/" are all "a".
        var parts = new List<string>();
        foreach (var part in pattern.Replace('\\', '/').Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part == ".." && parts.Count > 0)
            {
                parts.RemoveAt(parts.Count - 1);
            }
            else if (part is not "." and not "..")
            {
                parts.Add(part);
            }
        }

        return string.Join('/', parts);
    }

    private static string ToRegex(string pattern)
    {
        var regex = new StringBuilder("^");
        for (var i = 0; i < pattern.Length; i++)
        {
            switch (pattern[i])
            {
                case '*' when pattern.AsSpan(i).StartsWith("**/"):
                    regex.Append("(.*/)?");
                    i += 2;
                    break;
                case '*' when pattern.AsSpan(i).StartsWith("**"):
                    regex.Append(".*");
                    i++;
                    break;
                case '*':
                    regex.Append("[^/]*");
                    break;
                case '?':
                    regex.Append("[^/]");
                    break;
                case '[' when pattern.IndexOf(']', i + 1) is var end and > 0:
                    regex.Append(pattern, i, end - i + 1);
                    i = end;
                    break;
                default:
                    regex.Append(Regex.Escape(pattern[i].ToString()));
                    break;
            }
        }

        return regex.Append("(/.*)?$").ToString();
    }
}
