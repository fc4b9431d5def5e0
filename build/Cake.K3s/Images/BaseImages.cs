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
        var stages = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { NoImage };
        var found = new List<string>();
        var starts = Stages(dockerfile, arguments).ToDictionary(stage => stage.Line);
        var count = 0;
        foreach (var (line, text) in Instructions(dockerfile))
        {
            if (starts.TryGetValue(line, out var stage))
            {
                Add(stage.Image);
                stages.Add(count++.ToString(System.Globalization.CultureInfo.InvariantCulture));
                stages.Add(stage.Name);
            }
            else if (CopyFrom().Match(text) is { Success: true } copy)
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

    /// <summary>The names of all build arguments that the Dockerfile declares, each once.</summary>
    /// <param name="dockerfile">The Dockerfile's text.</param>
    public static IReadOnlyList<string> Arguments(string dockerfile) =>
    [
        // One ARG may declare several.
        .. Instructions(dockerfile)
            .Where(instruction => Argument().IsMatch(instruction.Text))
            .SelectMany(instruction => Declared().Matches(instruction.Text["ARG".Length..]))
            .Select(match => match.Groups["name"].Value)
            .Distinct(StringComparer.Ordinal),
    ];

    /// <summary>The FROM instructions with the arguments filled in.</summary>
    /// <param name="dockerfile">The Dockerfile's text.</param>
    /// <param name="arguments">Build arguments; they override the defaults of <c>ARG</c>.</param>
    public static IEnumerable<BuildStage> Stages(string dockerfile, IReadOnlyDictionary<string, string> arguments)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        var beforeFirstStage = true;
        foreach (var (line, text) in Instructions(dockerfile))
        {
            // Only arguments before the first FROM can be used in a FROM.
            if (beforeFirstStage && Argument().Match(text) is { Success: true } argument)
            {
                var name = argument.Groups["name"].Value;
                values[name] = arguments.GetValueOrDefault(name) ?? Fill(argument.Groups["default"].Value.Trim('"', '\''), values);
            }
            else if (From().Match(text) is { Success: true } from)
            {
                beforeFirstStage = false;
                yield return new(line, Fill(from.Groups["image"].Value, values), from.Groups["platform"].Value, from.Groups["stage"].Value);
            }
        }
    }

    /// <summary>The instructions of a Dockerfile without comments, each with the number of its first line, from 1.</summary>
    internal static IEnumerable<(int Line, string Text)> Instructions(string dockerfile)
    {
        var (start, continued, end) = (0, "", "");
        var number = 0;
        foreach (var line in dockerfile.Split('\n', StringSplitOptions.TrimEntries))
        {
            number++;
            if (end.Length > 0)
            {
                // Inside a here-document, whose lines are no instructions.
                end = line == end ? "" : end;
                continue;
            }

            if (line.StartsWith('#'))
            {
                continue;
            }

            start = continued.Length == 0 ? number : start;
            if (line.EndsWith('\\'))
            {
                continued += line[..^1] + " ";
                continue;
            }

            yield return (start, continued + line);
            end = HereDocument().Match(continued + line) is { Success: true } document ? document.Groups["end"].Value : "";
            continued = "";
        }
    }

    private static string Fill(string text, Dictionary<string, string> values) => Variable().Replace(
        text,
        match => values.GetValueOrDefault(match.Groups["name"].Value) is { Length: > 0 } value ? value : match.Groups["default"].Value);

    [GeneratedRegex(@"^ARG\s+(?<name>\w+)(=(?<default>\S*))?", RegexOptions.IgnoreCase)]
    private static partial Regex Argument();

    [GeneratedRegex(@"(?<name>[A-Za-z_]\w*)(=(""[^""]*""|'[^']*'|\S*))?", RegexOptions.ExplicitCapture)]
    private static partial Regex Declared();

    [GeneratedRegex(@"^FROM\s+(--platform=(?<platform>\S+)\s+|--\S+\s+)*(?<image>\S+)(\s+AS\s+(?<stage>\S+))?", RegexOptions.IgnoreCase)]
    private static partial Regex From();

    [GeneratedRegex(@"^COPY\s+(--\S+\s+)*--from=(?<image>\S+)", RegexOptions.IgnoreCase)]
    private static partial Regex CopyFrom();

    [GeneratedRegex(@"^(RUN|COPY|ADD)\s.*<<-?[""']?(?<end>\w+)[""']?", RegexOptions.IgnoreCase)]
    private static partial Regex HereDocument();

    [GeneratedRegex(@"\$(\{(?<name>\w+)(:-(?<default>[^}]*))?\}|(?<name>\w+))")]
    private static partial Regex Variable();
}

/// <summary>A FROM instruction.</summary>
/// <param name="Line">Its line, from 1.</param>
/// <param name="Image">The image or the earlier stage that it builds on.</param>
/// <param name="Platform">What <c>--platform</c> says, as written; empty when it says nothing.</param>
/// <param name="Name">What <c>AS</c> calls the stage; empty for none.</param>
internal sealed record BuildStage(int Line, string Image, string Platform, string Name);
