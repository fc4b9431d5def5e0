using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Cake.K3s.Images.Attestations;

/// <summary>Reads the files in which package managers write down what they installed or locked.</summary>
internal static partial class PackageFiles
{
    /// <summary>Whether a file is one of them.</summary>
    /// <param name="path">Its path, with slashes.</param>
    public static bool Knows(string path) => ReaderOf(path) is not null;

    /// <summary>The packages that a file tells of; none if it is not as expected.</summary>
    /// <param name="path">Its path, with slashes.</param>
    /// <param name="text">Its content.</param>
    public static IReadOnlyList<SoftwarePackage> Read(string path, string text)
    {
        try
        {
            return ReaderOf(path) is { } read ? [.. read(text)] : [];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Another file of that name.
            return [];
        }
    }

    private static Func<string, IEnumerable<SoftwarePackage>>? ReaderOf(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return name switch
        {
            "status" when path.EndsWith("var/lib/dpkg/status", StringComparison.Ordinal) => Dpkg,
            _ when path.Contains("var/lib/dpkg/status.d/", StringComparison.Ordinal) && !name.EndsWith(".md5sums", StringComparison.Ordinal) => Dpkg,
            "installed" when path.EndsWith("lib/apk/db/installed", StringComparison.Ordinal) => Apk,
            _ when name.EndsWith(".deps.json", StringComparison.Ordinal) => DotnetDependencies,
            "packages.lock.json" => DotnetLock,
            "package-lock.json" => NpmLock,
            "package.json" when path.Contains("node_modules/", StringComparison.Ordinal) => NpmPackage,
            "go.mod" => GoModules,
            _ => null,
        };
    }

    // Paragraphs as in deb-control(5). A package that was removed but not purged stays in the file.
    private static IEnumerable<SoftwarePackage> Dpkg(string text) =>
        from paragraph in Paragraphs(text, ": ")
        where !paragraph.TryGetValue("Status", out var status) || status.EndsWith(" installed", StringComparison.Ordinal)
        where paragraph.ContainsKey("Package") && paragraph.ContainsKey("Version")
        select new SoftwarePackage("deb", paragraph["Package"], paragraph["Version"], "debian");

    private static IEnumerable<SoftwarePackage> Apk(string text) =>
        from paragraph in Paragraphs(text, ":")
        where paragraph.ContainsKey("P") && paragraph.ContainsKey("V")
        select new SoftwarePackage("apk", paragraph["P"], paragraph["V"], "alpine");

    private static IEnumerable<SoftwarePackage> DotnetDependencies(string text) =>
        from library in JsonNode.Parse(text)?["libraries"]?.AsObject() ?? []
        where library.Value?["type"]?.GetValue<string>() is "package" or "runtimepack"
        let parts = library.Key.Split('/')
        where parts.Length == 2
        select new SoftwarePackage("nuget", parts[0].StartsWith("runtimepack.", StringComparison.Ordinal) ? parts[0]["runtimepack.".Length..] : parts[0], parts[1]);

    private static IEnumerable<SoftwarePackage> DotnetLock(string text) =>
        from framework in JsonNode.Parse(text)?["dependencies"]?.AsObject() ?? []
        from package in framework.Value?.AsObject() ?? []
        let version = package.Value?["resolved"]?.GetValue<string>()
        where version is not null
        select new SoftwarePackage("nuget", package.Key, version);

    private static IEnumerable<SoftwarePackage> NpmLock(string text) =>
        from package in JsonNode.Parse(text)?["packages"]?.AsObject() ?? []
        let at = package.Key.LastIndexOf("node_modules/", StringComparison.Ordinal)
        let version = package.Value?["version"]?.GetValue<string>()
        where at >= 0 && version is not null && package.Value?["dev"]?.GetValue<bool>() != true
        select Npm(package.Key[(at + "node_modules/".Length)..], version);

    private static IEnumerable<SoftwarePackage> NpmPackage(string text) =>
        JsonNode.Parse(text) is JsonObject package && package["name"]?.GetValue<string>() is { } name && package["version"]?.GetValue<string>() is { } version
            ? [Npm(name, version)]
            : [];

    private static SoftwarePackage Npm(string name, string version) =>
        name.Split('/') is [var scope, var rest] && scope.StartsWith('@') ? new("npm", rest, version, scope) : new("npm", name, version);

    private static IEnumerable<SoftwarePackage> GoModules(string text) =>
        from match in GoRequirement().Matches(text)
        select new SoftwarePackage("golang", match.Groups["module"].Value, match.Groups["version"].Value);

    private static IEnumerable<Dictionary<string, string>> Paragraphs(string text, string separator) =>
        from paragraph in text.Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
        select (from line in paragraph.Split('\n')
                let at = line.IndexOf(separator, StringComparison.Ordinal)
                where at > 0 && !char.IsWhiteSpace(line[0])
                group line[(at + separator.Length)..].Trim() by line[..at] into field
                select field).ToDictionary(field => field.Key, field => field.First(), StringComparer.Ordinal);

    [GeneratedRegex(@"^(require\s+|\s+)(?<module>[\w.\-/~]+\.[\w.\-/~]+)\s+(?<version>v\d\S*)", RegexOptions.Multiline)]
    private static partial Regex GoRequirement();
}
