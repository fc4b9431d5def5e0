using System.Text.Json;
using System.Text.RegularExpressions;
using Cake.K3s.Images;
using Cake.K3s.Settings;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Rules about how images are built: what the build context lacks, what they are built on, and for which machines.</summary>
internal static partial class DockerfileRules
{
    public static readonly LintRule OldToolchain = new(
        "K3S017",
        "toolchain-too-old",
        LintSeverity.Error,
        "A base image whose compiler or runtime is older than the app asks for does not build it, or does not start it, or downloads another one unasked.",
        "Take a base image of at least the version that the app declares.");

    // What builds read although no COPY names it: lost from the context, they fail, or go on with other versions.
    private static readonly string[] NeededFiles =
        ["go.mod", "go.sum", "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml", "global.json", "nuget.config", "Directory.Build.props", "Directory.Packages.props", "requirements.txt"];

    public static IEnumerable<LintFinding> Check(string root, string name, ImageSettings image, GitIgnore git)
    {
        var context = Path.GetFullPath(image.Context, root);
        var dockerfile = Path.Combine(context, image.Dockerfile);
        if (!File.Exists(dockerfile))
        {
            // BuildImage says so, better.
            return [];
        }

        var text = File.ReadAllText(dockerfile);
        var file = Path.GetRelativePath(root, dockerfile);
        var found = new List<LintFinding>();
        if (git.Hides(dockerfile))
        {
            Add(RepositoryRules.Hidden, 0, "git ignores its Dockerfile");
        }

        CheckContext(image, context, dockerfile, text, git, Add);
        CheckBases(image, context, text, Add);
        return found;

        void Add(LintRule rule, int line, string message) => found.Add(new(rule, new(file, line, line == 0 ? 0 : 1), $"image {name}", message));
    }

    private static void CheckContext(
        ImageSettings image, string context, string dockerfile, string text, GitIgnore git, Action<LintRule, int, string> add)
    {
        var ignore = DockerIgnore.Read(context, dockerfile);
        foreach (var (line, instruction) in BaseImages.Instructions(text))
        {
            foreach (var source in CopySources(instruction))
            {
                if (ignore.Ignores(source.TrimEnd('/')))
                {
                    add(RepositoryRules.Hidden, line, $".dockerignore hides {source}, which is copied here");
                }
                else if (image.Prepare is null && git.Hides(Path.Combine(context, source)))
                {
                    // With a command that prepares the context, that is where the file comes from.
                    add(RepositoryRules.Hidden, line, $"git ignores {source}, which is copied here");
                }
            }

            if (CopiesAll().IsMatch(instruction))
            {
                foreach (var needed in NeededFiles.Where(needed => File.Exists(Path.Combine(context, needed)) && ignore.Ignores(needed)))
                {
                    add(RepositoryRules.Hidden, line, $".dockerignore hides {needed}, which the build needs");
                }
            }
        }
    }

    private static void CheckBases(ImageSettings image, string context, string text, Action<LintRule, int, string> add)
    {
        var stages = BaseImages.Stages(text, image.Arguments).ToList();
        var declared = DeclaredToolchain.In(context).ToList();
        foreach (var stage in stages)
        {
            foreach (var toolchain in declared.Where(toolchain => toolchain.IsTooNewFor(stage.Image)))
            {
                add(OldToolchain, stage.Line, $"the base image is {toolchain.Images.First(known => stage.Image.Contains(known + ":", StringComparison.Ordinal))}:{stage.Image.Split(':')[^1]}, and {toolchain.File} asks for {toolchain.Version}");
            }
        }

        // Stages that only compile may be for any machine.
        var last = image.Target is null ? stages.LastOrDefault() : stages.FirstOrDefault(stage => stage.Name.Equals(image.Target, StringComparison.OrdinalIgnoreCase));
        if (last is not null && Architectures.Of(last.Platform, last.Image) is { } other)
        {
            add(PodRules.OtherPlatform, last.Line, $"its last stage builds on {last.Image} for {other}");
        }
    }

    /// <summary>The sources of a COPY or ADD that are plain paths of the context.</summary>
    internal static IEnumerable<string> CopySources(string instruction)
    {
        if (Copy().Match(instruction) is not { Success: true } copy || copy.Groups["options"].Value.Contains("--from", StringComparison.OrdinalIgnoreCase))
        {
            return [];
        }

        return Words(copy.Groups["paths"].Value)
            .SkipLast(1)
            .Select(word => word.StartsWith("./", StringComparison.Ordinal) ? word[2..] : word)
            .Where(word => word is not ("." or "") && word.IndexOfAny(['*', '?', '[', '$', ':', '<', '"']) < 0);
    }

    /// <summary>Paths with blanks between them, or as a JSON array.</summary>
    private static string[] Words(string paths)
    {
        if (paths.StartsWith('['))
        {
            try
            {
                return JsonSerializer.Deserialize<string[]>(paths) ?? [];
            }
            catch (JsonException)
            {
                // The build says so, better.
                return [];
            }
        }

        return paths.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
    }

    [GeneratedRegex(@"^(?:COPY|ADD)\s+(?<options>(?:--\S+\s+)*)(?<paths>.+)$", RegexOptions.IgnoreCase)]
    private static partial Regex Copy();

    [GeneratedRegex(@"^(?:COPY|ADD)\s+(?:--(?!from)\S+\s+)*\./?\s", RegexOptions.IgnoreCase)]
    private static partial Regex CopiesAll();
}
