using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Hardening.Cluster.ExternalSecrets;

/// <summary>Reads one secret of Vault's key-value engine, version 2 (<c>GET /v1/MOUNT/data/PATH</c>).</summary>
internal sealed class VaultReader(HttpClient http)
{
    /// <summary>The properties of the secret's newest version.</summary>
    /// <param name="settings">Where it is.</param>
    /// <param name="token">The token.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">Vault does not answer, is sealed, or has no such secret that the token may read.</exception>
    public async Task<ImmutableDictionary<string, Secret>> ReadAsync(ExternalSecretsSettings settings, Secret token, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"{settings.Vault}/v1/{settings.Mount}/data/{settings.Path}");
        request.Headers.Add("X-Vault-Token", token.Reveal());
        request.Headers.Add("X-Vault-Request", "true");
        try
        {
            using var response = await http.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            return response.StatusCode == HttpStatusCode.OK ? Properties(body) : throw Refused(settings, response.StatusCode);
        }
        catch (Exception e) when (e is HttpRequestException or JsonException || (e is TaskCanceledException && !cancellationToken.IsCancellationRequested))
        {
            throw new K3sException(
                ExitCodes.Failed, $"Vault at {settings.Vault} gave no answer that can be read: {e.Message}", "Check hardening.externalSecrets.vault in deploy.yaml.", innerException: e);
        }
    }

    private static ImmutableDictionary<string, Secret> Properties(string body) =>
        (JsonNode.Parse(body)?["data"]?["data"] as JsonObject ?? throw new JsonException("it has no data.data: is the mount a key-value engine of version 2?"))
            .Where(property => property.Value is JsonValue)
            .ToImmutableDictionary(property => property.Key, property => new Secret(property.Value!.ToString()));

    private static K3sException Refused(ExternalSecretsSettings settings, HttpStatusCode status) => new(
        ExitCodes.Failed,
        $"Vault does not give {settings.Mount}/{settings.Path}: HTTP {(int)status}",
        status switch
        {
            HttpStatusCode.Forbidden => "Check that hardening.externalSecrets.token has not ended, and that its policy allows read on that path.",
            HttpStatusCode.NotFound => $"Write it: vault kv put -mount={settings.Mount} {settings.Path} NAME=VALUE…",
            HttpStatusCode.ServiceUnavailable => "Vault is sealed; unseal it. What is in the cluster already stays as it is.",
            _ => "Look at Vault's log.",
        });
}
