using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Images;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;
using Cake.K3s.Settings;
using LibGit2Sharp;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>Rules about the files around the manifests: what git and Docker are told to overlook, and which compilers images are built with.</summary>
internal static partial class RepositoryRules
{
    public static readonly LintRule Hidden = new(
        "K3S016",
        "file-hidden",
        LintSeverity.Error,
        "A file that git or Docker overlooks is there on one machine and missing on the next.",
        "Take the pattern out of .gitignore or .dockerignore, or take the file back with an exclamation mark.");

    public static readonly LintRule OldToolchain = new(
        "K3S017",
        "toolchain-too-old",
        LintSeverity.Error,
        "A base image whose compiler is older than the app asks for does not build it, or downloads another compiler unasked.",
        "Take a base image of at least the version that the app declares.");

    // Where a language keeps the version that it needs, and the images that bring it.
    private static readonly (string File, string Image, Func<string, string?> Version)[] Toolchains =
    [
        ("go.mod", "golang", text => GoVersion().Match(text) is { Success: true } match ? match.Groups[1].Value : null),
        ("global.json", "dotnet/sdk", text => Json(text).Text("sdk", "version")),
        ("package.json", "node", text => Json(text).Text("engines", "node") is { } range ? Least().Match(range).Value : null),
    ];

    public static IEnumerable<LintFinding> Check(DeploySettings settings, IEnumerable<Manifest> manifests)
    {
        using var repository = Repository.Discover(settings.Root) is { } found ? new Repository(found) : null;
        var files = manifests.Select(manifest => manifest.Place.File).Distinct().Where(file => File.Exists(Path.Combine(settings.Root, file)));
        return
        [
            .. files.Where(file => IsIgnored(repository, Path.Combine(settings.Root, file)))
                .Select(file => new LintFinding(Hidden, new(file, 0, 0), file, "git ignores this manifest")),
            .. settings.Images.OrderBy(image => image.Key, StringComparer.Ordinal)
                .SelectMany(image => CheckImage(settings.Root, image.Key, image.Value, repository)),
        ];
    }

    private static IEnumerable<LintFinding> CheckImage(string root, string name, ImageSettings image, Repository? repository)
    {
        var context = Path.GetFullPath(image.Context, root);
        var dockerfile = Path.Combine(context, image.Dockerfile);
        if (!File.Exists(dockerfile))
        {
            // BuildImage says so, better.
            yield break;
        }

        var file = Path.GetRelativePath(root, dockerfile);
        var subject = $"image {name}";
        if (IsIgnored(repository, dockerfile))
        {
            yield return new(Hidden, new(file, 0, 0), subject, "git ignores its Dockerfile");
        }

        var ignore = DockerIgnore.Read(context, dockerfile);
        var lines = File.ReadAllLines(dockerfile);
        for (var i = 0; i < lines.Length; i++)
        {
            foreach (var source in CopySources(lines[i]).Where(source => ignore.Ignores(source.TrimEnd('/'))))
            {
                yield return new(Hidden, new(file, i + 1, 1), subject, $".dockerignore hides {source}, which is copied here");
            }

            foreach (var message in OldBase(context, lines[i]))
            {
                yield return new(OldToolchain, new(file, i + 1, 1), subject, message);
            }
        }
    }

    private static bool IsIgnored(Repository? repository, string path) =>
        repository?.Info.WorkingDirectory is { } work
        && Path.GetRelativePath(work, path) is var relative && !relative.StartsWith("..", StringComparison.Ordinal)
        && repository.Ignore.IsPathIgnored(relative.Replace('\\', '/'))
        && repository.Index[relative.Replace('\\', '/')] is null;

    /// <summary>The sources of a COPY or ADD that are plain paths of the context.</summary>
    internal static IEnumerable<string> CopySources(string line)
    {
        var words = line.Trim().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is not ["COPY" or "ADD" or "copy" or "add", ..] || words.Any(word => word.StartsWith("--from", StringComparison.Ordinal)))
        {
            return [];
        }

        return words.Skip(1)
            .Where(word => !word.StartsWith("--", StringComparison.Ordinal))
            .SkipLast(1)
            .Select(word => word.StartsWith("./", StringComparison.Ordinal) ? word[2..] : word)
            .Where(word => word is not ("." or "") && word.IndexOfAny(['*', '?', '[', '$', ':', '<', '"']) < 0);
    }

    private static IEnumerable<string> OldBase(string context, string line)
    {
        if (From().Match(line) is not { Success: true } from)
        {
            yield break;
        }

        var image = from.Groups[1].Value;
        var tag = from.Groups[2].Value;
        foreach (var (file, wantedImage, version) in Toolchains)
        {
            if ((image == wantedImage || image.EndsWith("/" + wantedImage, StringComparison.Ordinal))
                && Path.Combine(context, file) is var path && File.Exists(path)
                && version(File.ReadAllText(path)) is { } declared
                && IsOlder(tag, declared))
            {
                yield return $"the base image is {wantedImage}:{tag}, and {file} asks for {declared}";
            }
        }
    }

    /// <summary>Whether a tag's version is lower than another, as far as both say: 1.22-alpine is older than 1.23.4, and 22 is not older than 22.1.</summary>
    internal static bool IsOlder(string tag, string declared)
    {
        var has = Numbers(tag);
        var wants = Numbers(declared);
        foreach (var (h, w) in has.Zip(wants))
        {
            if (h != w)
            {
                return h < w;
            }
        }

        return false;

        static int[] Numbers(string text) => [.. Version().Match(text).Value.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
    }

    private static JsonNode? Json(string text)
    {
        try
        {
            return JsonNode.Parse(text, documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (JsonException)
        {
            // Whoever builds the app says so, better.
            return null;
        }
    }

    [GeneratedRegex(@"^\s*FROM\s+(?:--\S+\s+)*([^\s:@]+):([^\s@]+)", RegexOptions.IgnoreCase)]
    private static partial Regex From();

    [GeneratedRegex(@"^go\s+(\S+)", RegexOptions.Multiline)]
    private static partial Regex GoVersion();

    [GeneratedRegex(@"\d+(\.\d+)*")]
    private static partial Regex Least();

    [GeneratedRegex(@"^\d+(\.\d+)*")]
    private static partial Regex Version();
}
