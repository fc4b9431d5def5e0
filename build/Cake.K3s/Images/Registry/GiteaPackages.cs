using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Images.Registry;

/// <summary>
/// Gitea's package API beside its registry (Gitea's API documentation, "package"). To Gitea each tag and each digest is a version of a
/// package, and each can be deleted alone; the registry's own DELETE of a digest takes all tags along.
/// </summary>
internal sealed class GiteaPackages(HttpClient http, RegistryTransport transport, string version) : IDisposable
{
    /// <summary>Gitea's version.</summary>
    public string Version { get; } = version;

    /// <summary>The version of the Gitea that answers at a host; null if none does.</summary>
    public static async Task<string?> FindVersionAsync(RegistryTransport transport, CancellationToken cancellationToken)
    {
        using var response = await transport.SendAsync(
            new(HttpMethod.Get, new("api/v1/version", UriKind.Relative), "", "say whether it is Gitea")
            {
                Expected = [HttpStatusCode.OK, HttpStatusCode.BadRequest, HttpStatusCode.Unauthorized, HttpStatusCode.Forbidden, HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed],
            },
            cancellationToken);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            return null;
        }

        try
        {
            return (JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken)) as JsonObject)?["version"]?.ToString();
        }
        catch (JsonException)
        {
            // Some other server's page.
            return null;
        }
    }

    /// <summary>Deletes one version of a container package; nothing happens if it is not there.</summary>
    /// <param name="repository">The repository: the owner, and the package's name, which may have slashes.</param>
    /// <param name="packageVersion">A tag, or a digest with its <c>sha256:</c>.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async Task DeleteAsync(string repository, string packageVersion, CancellationToken cancellationToken)
    {
        var slash = repository.IndexOf('/');
        var (owner, name) = slash < 0
            ? throw new K3sException(ExitCodes.BadInput, $"{repository} is no repository of a Gitea: it has no owner", "Correct 'registry.address' in deploy.yaml: HOST/OWNER.")
            : (repository[..slash], repository[(slash + 1)..]);
        var address = $"api/v1/packages/{Uri.EscapeDataString(owner)}/container/{Uri.EscapeDataString(name)}/{Uri.EscapeDataString(packageVersion)}";
        using var response = await transport.SendAsync(
            new(HttpMethod.Delete, new(address, UriKind.Relative), "", $"delete the package version {repository} {packageVersion}")
            {
                Expected = [HttpStatusCode.NoContent, HttpStatusCode.OK, HttpStatusCode.NotFound],
            },
            cancellationToken);
    }

    /// <inheritdoc/>
    public void Dispose() => http.Dispose();
}
