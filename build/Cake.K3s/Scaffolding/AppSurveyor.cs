using System.Collections.Immutable;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Cake.K3s.Settings;
using LibGit2Sharp;
using YamlDotNet.RepresentationModel;

namespace Cake.K3s.Scaffolding;

/// <summary>Looks at an app's directory and at the user's kubeconfig. It reads, and changes nothing.</summary>
internal sealed partial class AppSurveyor(EnvironmentVariables variables)
{
    private const int DeepestLevel = 6;

    // What others made: their Dockerfiles and manifests are not the app's.
    private static readonly HashSet<string> Skipped =
        ["node_modules", "vendor", "bin", "obj", "dist", "out", "target", "artifacts", "venv", "testdata"];

    /// <summary>Looks at a directory.</summary>
    /// <param name="directory">Absolute path.</param>
    public AppSurvey Look(string directory)
    {
        var files = Files(directory, 0).Select(file => Path.GetRelativePath(directory, file).Replace('\\', '/')).Order(StringComparer.Ordinal).ToList();
        var name = Label(Path.GetFileName(Path.TrimEndingDirectorySeparator(directory)));
        var (kubeconfig, contexts) = Contexts();
        return new(name, Images(directory, name, files), Manifests(directory, files), Tests(directory, files), contexts, kubeconfig, Registry(directory));
    }

    /// <summary>Text as a DNS label.</summary>
    internal static string Label(string text) =>
        NotInLabel().Replace(text.ToLowerInvariant(), "-").Trim('-') is { Length: > 0 } label ? label[..Math.Min(label.Length, 63)].Trim('-') : "app";

    /// <summary>The container registry that goes with a git remote, by the conventions of Gitea, GitHub and GitLab.</summary>
    internal static string? RegistryOf(string remote)
    {
        var match = Remote().Match(remote);
        if (!match.Success)
        {
            return null;
        }

        var host = match.Groups["host"].Value.ToLowerInvariant() switch
        {
            "github.com" => "ghcr.io",
            "gitlab.com" => "registry.gitlab.com",
            var other => other,
        };
        return $"{host}/{match.Groups["path"].Value.ToLowerInvariant()}";
    }

    private static IEnumerable<string> Files(string directory, int level)
    {
        foreach (var file in Directory.EnumerateFiles(directory))
        {
            yield return file;
        }

        var below = level == DeepestLevel ? [] : new DirectoryInfo(directory).EnumerateDirectories()
            .Where(folder => folder.LinkTarget is null && !folder.Name.StartsWith('.') && !Skipped.Contains(folder.Name));
        foreach (var file in below.SelectMany(folder => Files(folder.FullName, level + 1)))
        {
            yield return file;
        }
    }

    private static ImmutableSortedDictionary<string, FoundImage> Images(string root, string app, IEnumerable<string> files)
    {
        var images = ImmutableSortedDictionary.CreateBuilder<string, FoundImage>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            if (DockerfileName().Match(Path.GetFileName(file)) is not { Success: true } match)
            {
                continue;
            }

            var folder = Path.GetDirectoryName(file)!.Replace('\\', '/');
            var name = match.Groups["name"].Value is { Length: > 0 } suffix ? Label(suffix) : folder.Length == 0 || IsAboutBuilding(folder) ? app : Label(Path.GetFileName(folder));
            name = images.ContainsKey(name) ? Label(file.Replace('/', '-')) : name;
            images[name] = Image(root, folder, file);
        }

        return images.ToImmutable();
    }

    // Such a folder is named for what is done with it, not for what comes out.
    private static bool IsAboutBuilding(string folder) => Path.GetFileName(folder) is "docker" or "build" or "deploy" or "container";

    private static FoundImage Image(string root, string folder, string file)
    {
        var dockerfile = Dockerfile.Parse(File.ReadAllText(Path.Combine(root, file)));

        // The context is the nearest directory that has what is copied: many are built from the repository's root.
        var context = Above(folder)
            .Select(candidate => (Path: candidate, There: dockerfile.CopySources.Count(source => Exists(root, candidate, source))))
            .Aggregate((best, next) => next.There > best.There ? next : best)
            .Path;
        var missing = dockerfile.CopySources.Where(source => !Exists(root, context, source)).Distinct().ToImmutableArray();
        var prepare = missing is [var only] && Directory.EnumerateFiles(Path.Combine(root, context), "*.csproj").Any()
            ? $"dotnet publish -c Release -o {only.Trim('/')} --nologo -v q"
            : null;
        return new(
            context.Length == 0 ? "." : context,
            Path.GetRelativePath(Path.Combine(root, context), Path.Combine(root, file)).Replace('\\', '/'),
            dockerfile,
            prepare,
            prepare is null ? missing : []);
    }

    private static IEnumerable<string> Above(string folder)
    {
        yield return folder;
        while (folder.Length > 0)
        {
            folder = Path.GetDirectoryName(folder)!.Replace('\\', '/');
            yield return folder;
        }
    }

    private static bool Exists(string root, string context, string source) => Path.Exists(Path.Combine(root, context, source.TrimStart('/')));

    private static FoundManifests? Manifests(string root, IReadOnlyList<string> files)
    {
        var manifests = files
            .Where(file => Path.GetExtension(file) is ".yaml" or ".yml")
            .Select(file => (File: file, Text: File.ReadAllText(Path.Combine(root, file))))
            .Where(file => ApiVersion().IsMatch(file.Text) && Kind().IsMatch(file.Text) && !file.Text.Contains("{{", StringComparison.Ordinal))
            .ToList();
        if (manifests.Count == 0)
        {
            return null;
        }

        var secrets = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var values = ImmutableSortedSet.CreateBuilder<string>(StringComparer.Ordinal);
        var images = ImmutableArray.CreateBuilder<NamedImage>();
        foreach (var (file, text) in manifests)
        {
            foreach (var document in Separator().Split(text))
            {
                var names = Placeholder().Matches(document).Select(match => match.Groups[1].Value).Where(name => name is not ("APP" or "ENVIRONMENT" or "NAMESPACE"));
                (SecretKind().IsMatch(document) ? secrets : values).UnionWith(names);
            }

            images.AddRange(text.Split('\n').Index()
                .Select(line => (line.Index, Match: ImageLine().Match(line.Item)))
                .Where(line => line.Match.Success)
                .Select(line => new NamedImage($"{file}:{line.Index + 1}", line.Match.Groups[1].Value)));
        }

        return new(Folders(root, manifests.Select(file => file.File)), values.ToImmutable(), secrets.ToImmutable(), images.ToImmutable());
    }

    // A folder of another one is part of it. What a kustomization names is part of that one, wherever it is.
    private static ImmutableArray<string> Folders(string root, IEnumerable<string> manifests)
    {
        var folders = manifests.Select(file => Path.GetDirectoryName(file)!.Replace('\\', '/')).Distinct().Order(StringComparer.Ordinal).ToList();
        var kustomized = folders.Where(folder => File.Exists(Path.Combine(root, folder, "kustomization.yaml"))).ToList();
        if (kustomized.Count > 0)
        {
            var named = kustomized.SelectMany(folder => File.ReadLines(Path.Combine(root, folder, "kustomization.yaml"))
                .Select(line => line.Trim())
                .Where(line => line.StartsWith("- ", StringComparison.Ordinal))
                .Select(line => Path.GetRelativePath(root, Path.GetFullPath(Path.Combine(root, folder, line[2..].Trim()))).Replace('\\', '/')));
            return [kustomized.Except(named).FirstOrDefault(kustomized[0])];
        }

        return [.. folders.Where(folder => !folders.Exists(other => other != folder && IsBelow(folder, other))).Select(folder => folder.Length == 0 ? "." : folder)];
    }

    private static bool IsBelow(string folder, string other) => other.Length == 0 || folder.StartsWith(other + "/", StringComparison.Ordinal);

    private static ImmutableArray<string> Tests(string root, IReadOnlyList<string> files)
    {
        var tests = ImmutableArray.CreateBuilder<string>();
        if (files.Contains("go.mod"))
        {
            tests.Add("go test ./...");
        }

        tests.AddRange(files
            .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal)
                && File.ReadAllText(Path.Combine(root, file)).Contains("Microsoft.NET.Test.Sdk", StringComparison.Ordinal))
            .Select(file => $"dotnet test {Path.GetDirectoryName(file)!.Replace('\\', '/')} --nologo".Replace("test  ", "test ", StringComparison.Ordinal)));
        if (files.Contains("package-lock.json") && HasTestScript(Path.Combine(root, "package.json")))
        {
            tests.Add("npm ci --no-audit --no-fund && npm test");
        }

        if (files.Contains("Cargo.toml"))
        {
            tests.Add("cargo test");
        }

        return tests.ToImmutable();
    }

    private static bool HasTestScript(string package)
    {
        try
        {
            // npm init writes one that always fails.
            return File.Exists(package)
                && JsonNode.Parse(File.ReadAllText(package))?["scripts"]?["test"]?.GetValue<string>() is { } script
                && !script.Contains("no test specified", StringComparison.Ordinal);
        }
        catch (JsonException)
        {
            return false; // npm says so, better.
        }
    }

    private (string Kubeconfig, ImmutableArray<string> Contexts) Contexts()
    {
        const string Default = "~/.kube/config";
        var kubeconfig = variables["KUBECONFIG"]?.Split(Path.PathSeparator)[0] ?? Default;
        var file = UserPath.Resolve(kubeconfig, "/", variables);
        if (!File.Exists(file))
        {
            return (kubeconfig, []);
        }

        try
        {
            var contexts = new SettingsNodes(file).Parse(File.ReadAllText(file)) is YamlMappingNode root && root.Children.TryGetValue("contexts", out var found) ? found : null;
            return (kubeconfig, [.. (contexts as YamlSequenceNode ?? [])
                .OfType<YamlMappingNode>()
                .Select(context => context.Children.TryGetValue("name", out var name) ? (name as YamlScalarNode)?.Value : null)
                .OfType<string>()
                .Where(name => !LocalCluster().IsMatch(name))]);
        }
        catch (Exception unreadable) when (unreadable is SettingsException or IOException or UnauthorizedAccessException)
        {
            return (kubeconfig, []); // Doctor tells what is wrong with it once an environment names it.
        }
    }

    private static string? Registry(string directory)
    {
        if (Repository.Discover(directory) is not { } found)
        {
            return null;
        }

        using var repository = new Repository(found);
        return repository.Network.Remotes["origin"]?.Url is { } remote ? RegistryOf(remote) : null;
    }

    [GeneratedRegex(@"^(Dockerfile|Containerfile)(\.(?!dockerignore$)(?<name>[\w-]+))?$|^(?<name>[\w-]+)\.Dockerfile$", RegexOptions.IgnoreCase)]
    private static partial Regex DockerfileName();

    [GeneratedRegex("[^a-z0-9]+")]
    private static partial Regex NotInLabel();

    [GeneratedRegex(@"^(\w+://([^@/]+@)?|[^@/:]+@)(?<host>[A-Za-z0-9.-]+)(:\d+)?[:/](?<path>[\w.-]+/[\w./-]+?)(\.git)?/?$")]
    private static partial Regex Remote();

    [GeneratedRegex("^apiVersion:", RegexOptions.Multiline)]
    private static partial Regex ApiVersion();

    [GeneratedRegex("^kind:", RegexOptions.Multiline)]
    private static partial Regex Kind();

    [GeneratedRegex(@"^kind:\s*[""']?Secret\b", RegexOptions.Multiline)]
    private static partial Regex SecretKind();

    [GeneratedRegex("^---.*$", RegexOptions.Multiline)]
    private static partial Regex Separator();

    [GeneratedRegex(@"(?<!\$)\$\{([A-Za-z_]\w*)\}")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^\s*(?:-\s+)?image:\s*[""']?([^\s""'#]+)")]
    private static partial Regex ImageLine();

    [GeneratedRegex("^(kind-|k3d-|minikube|docker-desktop|rancher-desktop|orbstack|colima|sandbox)")]
    private static partial Regex LocalCluster();
}
