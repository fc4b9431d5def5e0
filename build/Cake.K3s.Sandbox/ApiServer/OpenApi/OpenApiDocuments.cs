using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.OpenApi;

/// <summary>The OpenAPI documents, one for each API version; made when a client asks, as most never do.</summary>
internal sealed class OpenApiDocuments(ApiServerOptions options)
{
    private readonly ConditionalWeakTable<ResourceCatalog.Snapshot, ConcurrentDictionary<string, byte[]?>> _made = [];
    private readonly Lazy<DocumentationFile> _documentation = new(DocumentationFile.Load);

    /// <summary>The document at a path: <c>/openapi/v3</c>, <c>/openapi/v3/apis/apps/v1</c> or <c>/openapi/v2</c>.</summary>
    public byte[]? Find(ResourceCatalog.Snapshot catalog, string path)
        => _made.GetOrCreateValue(catalog).GetOrAdd(path, _ => Make(catalog, path.Trim('/').Split('/')) is { } made ? JsonBody.Write(made) : null);

    private JsonObject? Make(ResourceCatalog.Snapshot catalog, string[] segments) => segments switch
    {
        ["openapi", "v3"] => Index(catalog),
        ["openapi", "v2"] => OpenApiV2.Make([.. catalog.All], _documentation.Value, options.KubernetesVersion),
        ["openapi", "v3", "api", var version] => Document(catalog, new GroupVersion("", version)),
        ["openapi", "v3", "apis", var group, var version] => Document(catalog, new GroupVersion(group, version)),
        _ => null,
    };

    private static JsonObject Index(ResourceCatalog.Snapshot catalog)
    {
        var paths = new JsonObject();
        foreach (var version in catalog.Groups.SelectMany(group => group.Versions))
        {
            var path = version.Version.Group.Length == 0 ? $"api/{version.Version}" : $"apis/{version.Version}";
            paths[path] = new JsonObject { ["serverRelativeURL"] = $"/openapi/v3/{path}?hash={Hash(version)}" };
        }

        return new JsonObject { ["paths"] = paths };
    }

    /// <summary>Built-in documents change with the program only, those of custom resources with their schemas.</summary>
    private static string Hash(ApiGroupVersion version)
    {
        var content = new StringBuilder(typeof(OpenApiDocuments).Module.ModuleVersionId.ToString());
        foreach (var resource in version.Resources)
        {
            content.Append(resource.Plural).Append(resource.Custom is { } custom ? JsonBody.Text(custom.OpenApi) : "");
        }

        return Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes(content.ToString())));
    }

    private JsonObject? Document(ResourceCatalog.Snapshot catalog, GroupVersion version)
    {
        var found = catalog.Groups.SelectMany(group => group.Versions).FirstOrDefault(one => one.Version == version);
        return found is null ? null : OpenApiV3.Make(found, _documentation.Value, options.KubernetesVersion);
    }
}
