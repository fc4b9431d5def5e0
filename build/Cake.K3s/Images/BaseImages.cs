using System.Text.RegularExpressions;

namespace Cake.K3s.Images;

/// <summary>Finds the images that a Dockerfile builds on.</summary>
internal static partial class BaseImages
{
    private const string NoImage = "scratch";

    /// <summary>The references of FROM and <c>COPY --from</c>, as written but with the arguments filled in, each once.</summary>
    /// <param name="dockerfile">The Dockerfile's text.</param>
    /// <param name="arguments">Build arguments; they override the defaults of <c>ARG</c>.</param>
    /// <returns>No stages of the file itself, and not <c>scratch</c>.</returns>
    public static IReadOnlyList<string> In(string dockerfile, IReadOnlyDictionary<string, string> arguments)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var stages = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { NoImage };
        var found = new List<string>();
        var beforeFirstStage = true;
        var count = 0;
        foreach (var line in Instructions(dockerfile))
        {
            // Only arguments before the first FROM can be used in a FROM.
            if (beforeFirstStage && Argument().Match(line) is { Success: true } argument)
            {
                var name = argument.Groups["name"].Value;
                values[name] = arguments.GetValueOrDefault(name) ?? Fill(argument.Groups["default"].Value.Trim('"', '\''), values);
            }
            else if (From().Match(line) is { Success: true } from)
            {
                beforeFirstStage = false;
                Add(Fill(from.Groups["image"].Value, values));
                stages.Add(count++.ToString(System.Globalization.CultureInfo.InvariantCulture));
                if (from.Groups["stage"].Success)
                {
                    stages.Add(from.Groups["stage"].Value);
                }
            }
            else if (CopyFrom().Match(line) is { Success: true } copy)
            {
                Add(copy.Groups["image"].Value);
            }
        }

        return found;

        void Add(string image)
        {
            if (image.Length > 0 && !stages.Contains(image) && !found.Contains(image))
            {
                found.Add(image);
            }
        }
    }

    /// <summary>The instructions of a Dockerfile, each on one line, without comments.</summary>
    internal static IEnumerable<string> Instructions(string dockerfile)
    {
        var continued = "";
        foreach (var line in dockerfile.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith('#'))
            {
                continue;
            }

            if (line.EndsWith('\\'))
            {
                continued += line[..^1] + " ";
                continue;
            }

            yield return continued + line;
            continued = "";
        }
    }

    private static string Fill(string text, Dictionary<string, string> values) => Variable().Replace(
        text,
        match => values.GetValueOrDefault(match.Groups["name"].Value) is { Length: > 0 } value ? value : match.Groups["default"].Value);

    [GeneratedRegex(@"^ARG\s+(?<name>\w+)(=(?<default>\S*))?", RegexOptions.IgnoreCase)]
    private static partial Regex Argument();

    [GeneratedRegex(@"^FROM\s+(--\S+\s+)*(?<image>\S+)(\s+AS\s+(?<stage>\S+))?", RegexOptions.IgnoreCase)]
    private static partial Regex From();

    [GeneratedRegex(@"^COPY\s+(--\S+\s+)*--from=(?<image>\S+)", RegexOptions.IgnoreCase)]
    private static partial Regex CopyFrom();

    [GeneratedRegex(@"\$(\{(?<name>\w+)(:-(?<default>[^}]*))?\}|(?<name>\w+))")]
    private static partial Regex Variable();
}
