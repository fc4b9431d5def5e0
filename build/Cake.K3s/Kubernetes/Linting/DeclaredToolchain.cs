using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Kubernetes.Linting;

/// <summary>The versions of compilers and runtimes that an app's own files ask for.</summary>
/// <param name="File">The file that says so, relative to the build context.</param>
/// <param name="Images">The images that bring it, without registry: <c>golang</c>.</param>
/// <param name="Version">E.g. <c>1.24</c>.</param>
internal sealed partial record DeclaredToolchain(string File, IReadOnlyList<string> Images, string Version)
{
    private static readonly EnumerationOptions Nearby = new() { RecurseSubdirectories = true, MaxRecursionDepth = 2 };

    /// <summary>What the files of a build context declare.</summary>
    public static IEnumerable<DeclaredToolchain> In(string context)
    {
        if (Read(context, "go.mod") is { } module && GoVersion().Match(module) is { Success: true } go)
        {
            yield return new("go.mod", ["golang"], go.Groups[1].Value);
        }

        if (Json(Read(context, "global.json")).Text("sdk", "version") is { } sdk)
        {
            yield return new("global.json", ["dotnet/sdk"], sdk);
        }

        if (Json(Read(context, "package.json")).Text("engines", "node") is { } range && LeastOf(range) is { Length: > 0 } node)
        {
            yield return new("package.json", ["node"], node);
        }

        foreach (var project in Directory.EnumerateFiles(context, "*.*proj", Nearby).Order(StringComparer.Ordinal))
        {
            if (TargetFrameworks().Match(Text(project)) is { Success: true } frameworks)
            {
                var versions = FrameworkVersion().Matches(frameworks.Groups[1].Value).Select(match => match.Groups[1].Value).Order(ByVersion).ToList();
                if (versions.Count > 0)
                {
                    var file = Path.GetRelativePath(context, project);
                    yield return new(file, ["dotnet/sdk"], versions[^1]);
                    yield return new(file, ["dotnet/aspnet", "dotnet/runtime"], versions[0]);
                }
            }
        }
    }

    /// <summary>Whether an image brings this toolchain in a version that is too old.</summary>
    /// <param name="image">As FROM names it.</param>
    public bool IsTooNewFor(string image)
        => Reference().Match(image) is { Success: true } reference
            && Images.Any(name => reference.Groups[1].Value == name || reference.Groups[1].Value.EndsWith("/" + name, StringComparison.Ordinal))
            && IsOlder(reference.Groups[2].Value, Version);

    /// <summary>Whether a tag's version is lower than another, as far as both say: 1.22-alpine is older than 1.23.4, and 22 is not older than 22.1.</summary>
    internal static bool IsOlder(string tag, string declared)
    {
        foreach (var (has, wants) in Numbers(tag).Zip(Numbers(declared)))
        {
            if (has != wants)
            {
                return has < wants;
            }
        }

        return false;
    }

    private static Comparer<string> ByVersion { get; } = Comparer<string>.Create((left, right) => IsOlder(left, right) ? -1 : IsOlder(right, left) ? 1 : 0);

    /// <summary>The lowest version that a range of npm's allows: that of the lowest of its alternatives.</summary>
    private static string? LeastOf(string range)
        => range.Split("||").Select(part => Least().Match(part).Value).Where(version => version.Length > 0).Order(ByVersion).FirstOrDefault();

    private static int[] Numbers(string text)
        => [.. LeadingVersion().Match(text).Value.Split('.', StringSplitOptions.RemoveEmptyEntries).Select(number => int.TryParse(number, out var value) ? value : int.MaxValue)];

    private static string? Read(string context, string file) => Path.Combine(context, file) is var path && System.IO.File.Exists(path) ? Text(path) : null;

    private static string Text(string path) => System.IO.File.ReadAllText(path);

    private static JsonNode? Json(string? text)
    {
        try
        {
            return text is null ? null : JsonNode.Parse(text, documentOptions: new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        }
        catch (JsonException)
        {
            // Whoever builds the app says so, better.
            return null;
        }
    }

    [GeneratedRegex(@"^([^\s:@]+(?::\d+/[^\s:@]+)?):([^\s@]+)")]
    private static partial Regex Reference();

    [GeneratedRegex(@"^go\s+(\S+)", RegexOptions.Multiline)]
    private static partial Regex GoVersion();

    [GeneratedRegex(@"<TargetFrameworks?>([^<]*)</TargetFrameworks?>")]
    private static partial Regex TargetFrameworks();

    [GeneratedRegex(@"\bnet(\d+\.\d+)")]
    private static partial Regex FrameworkVersion();

    [GeneratedRegex(@"\d+(\.\d+)*")]
    private static partial Regex Least();

    [GeneratedRegex(@"^\d+(\.\d+)*")]
    private static partial Regex LeadingVersion();
}
