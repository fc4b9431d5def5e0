using System.Formats.Tar;
using System.Globalization;
using System.IO.Compression;
using System.Text.Json.Nodes;
using Cake.K3s.Images.Oci;

namespace Cake.K3s.Images.Attestations;

/// <summary>
/// What is in an image, as an SPDX 2.3 document: what the package managers' own files in its layers say, and the lock files of
/// its sources for what leaves none in the image (Go, bundled npm).
/// </summary>
internal static class BillOfMaterials
{
    private const string Deleted = ".wh.";
    private const string OpaqueDirectory = ".wh..wh..opq";
    private const string NoAssertion = "NOASSERTION";
    private const long LargestFile = 64 << 20;

    /// <summary>The packages in an image's layers, later layers over earlier ones.</summary>
    public static async Task<IReadOnlyCollection<SoftwarePackage>> ScanAsync(OciArchive archive, CancellationToken cancellationToken)
    {
        var files = new Dictionary<string, IReadOnlyList<SoftwarePackage>>(StringComparer.Ordinal);
        foreach (var layer in archive.Manifest.Layers.Where(layer => !layer.MediaType.EndsWith("zstd", StringComparison.Ordinal)))
        {
            await using var blob = archive.OpenBlob(layer, 0, layer.Size);
            await using var content = layer.MediaType.EndsWith("gzip", StringComparison.Ordinal) ? new GZipStream(blob, CompressionMode.Decompress) : blob;
            await using var tar = new TarReader(content);
            while (await tar.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
            {
                var path = (entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name).TrimStart('/');
                var name = path[(path.LastIndexOf('/') + 1)..];
                if (name.StartsWith(Deleted, StringComparison.Ordinal))
                {
                    // Of one file or directory, or of all that lower layers have in this directory.
                    var gone = name == OpaqueDirectory ? path[..^name.Length].TrimEnd('/') : path[..^name.Length] + name[Deleted.Length..];
                    files.Keys.Where(file => file == gone || file.StartsWith(gone + "/", StringComparison.Ordinal)).ToList().ForEach(file => files.Remove(file));
                }
                else if (entry.DataStream is { } data && entry.Length < LargestFile && PackageFiles.Knows(path))
                {
                    using var reader = new StreamReader(data, leaveOpen: true);
                    files[path] = PackageFiles.Read(path, await reader.ReadToEndAsync(cancellationToken));
                }
            }
        }

        return [.. files.Values.SelectMany(packages => packages).Distinct()];
    }

    /// <summary>The packages that the sources' lock files name.</summary>
    /// <param name="files">The files that the image is made from.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public static async Task<IReadOnlyCollection<SoftwarePackage>> ReadLocksAsync(IEnumerable<string> files, CancellationToken cancellationToken)
    {
        var packages = new HashSet<SoftwarePackage>();
        foreach (var file in files.Where(file => Path.GetFileName(file) is "go.mod" or "package-lock.json" or "packages.lock.json"))
        {
            packages.UnionWith(PackageFiles.Read(file.Replace('\\', '/'), await File.ReadAllTextAsync(file, cancellationToken)));
        }

        return packages;
    }

    /// <summary>The document. The same image gives the same document.</summary>
    /// <param name="repository">Registry and repository of the image.</param>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="created">The image's own time.</param>
    /// <param name="packages">What is in it.</param>
    public static JsonObject Document(string repository, Digest digest, DateTimeOffset created, IEnumerable<SoftwarePackage> packages)
    {
        const string Image = "SPDXRef-image";
        var listed = new JsonArray(Package(Image, repository, digest.ToString(), $"pkg:oci/{repository.Split('/')[^1]}@{Uri.EscapeDataString(digest.ToString())}"));
        var relations = new JsonArray(Relation("SPDXRef-DOCUMENT", "DESCRIBES", Image));
        var number = 0;
        foreach (var package in packages.OrderBy(package => package.Purl, StringComparer.Ordinal))
        {
            var id = string.Create(CultureInfo.InvariantCulture, $"SPDXRef-package-{++number}");
            listed.Add(Package(id, package.Namespace is { } scope && scope.StartsWith('@') ? $"{scope}/{package.Name}" : package.Name, package.Version, package.Purl));
            relations.Add(Relation(Image, "CONTAINS", id));
        }

        return new JsonObject
        {
            ["spdxVersion"] = "SPDX-2.3",
            ["dataLicense"] = "CC0-1.0",
            ["SPDXID"] = "SPDXRef-DOCUMENT",
            ["name"] = $"{repository}@{digest}",
            ["documentNamespace"] = $"https://spdx.org/spdxdocs/{repository.Replace(':', '-')}-{digest.Hex}",
            ["creationInfo"] = new JsonObject
            {
                ["created"] = created.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture),
                ["creators"] = new JsonArray("Tool: cake-k3s"),
            },
            ["packages"] = listed,
            ["relationships"] = relations,
        };
    }

    /// <summary>The document in one line for a person.</summary>
    public static string Describe(JsonNode document)
    {
        var purls = (document["packages"] as JsonArray ?? []).Select(package => package?["externalRefs"]?[0]?["referenceLocator"]?.ToString() ?? "").ToList();
        var kinds = from purl in purls
                    let type = purl.Split(':', '/') is ["pkg", var found, ..] ? found : ""
                    where type is not ("" or "oci")
                    group type by type into kind
                    orderby kind.Key
                    select $"{kind.Count()} {kind.Key}";
        return string.Join(", ", kinds) is { Length: > 0 } text ? text : "no packages";
    }

    private static JsonObject Package(string id, string name, string version, string purl) => new()
    {
        ["SPDXID"] = id,
        ["name"] = name,
        ["versionInfo"] = version,
        ["downloadLocation"] = NoAssertion,
        ["filesAnalyzed"] = false,
        ["externalRefs"] = new JsonArray(new JsonObject
        {
            ["referenceCategory"] = "PACKAGE-MANAGER",
            ["referenceType"] = "purl",
            ["referenceLocator"] = purl,
        }),
    };

    private static JsonObject Relation(string from, string type, string to) =>
        new() { ["spdxElementId"] = from, ["relationshipType"] = type, ["relatedSpdxElement"] = to };
}
