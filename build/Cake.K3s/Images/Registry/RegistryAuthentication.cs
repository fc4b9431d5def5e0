using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Cake.K3s.Processes;
using Cake.K3s.Settings;

namespace Cake.K3s.Images.Registry;

/// <summary>Knows how one registry wants to be authenticated to, and holds its tokens (distribution spec, auth/token).</summary>
internal sealed partial class RegistryAuthentication(
    string host,
    Func<CancellationToken, Task<RegistryCredential?>> credentials,
    HttpClient http,
    ISecretMask mask,
    TimeProvider time)
{
    // A token that is about to expire would do so on its way.
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(10);

    // What a token without expires_in is good for, by the token specification.
    private static readonly TimeSpan ShortestLifetime = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, Token> _tokens = new();
    private readonly SemaphoreSlim _one = new(1, 1);
    private Challenge? _challenge;
    private RegistryCredential? _credential;
    private bool _looked;

    /// <summary>Sends the user name and password unasked: for an API that answers who is not logged in as if there were nothing.</summary>
    public bool BasicAtOnce { init => _challenge = value ? new BasicChallenge() : null; }

    /// <summary>What to send with a request for a scope; null before a challenge came, and for an anonymous registry.</summary>
    /// <param name="scope">E.g. <c>repository:me/app:pull,push</c>.</param>
    /// <param name="cancellationToken">Cancels.</param>
    public async ValueTask<AuthenticationHeaderValue?> HeaderAsync(string scope, CancellationToken cancellationToken)
    {
        if (_challenge is not { } challenge)
        {
            return null;
        }

        if (Fresh(scope) is { } token)
        {
            return new("Bearer", token);
        }

        await _one.WaitAsync(cancellationToken);
        try
        {
            if (!_looked)
            {
                _credential = await credentials(cancellationToken);
                _looked = true;
            }

            return challenge is BearerChallenge bearer
                ? new("Bearer", Fresh(scope) ?? await FetchAsync(bearer, scope, cancellationToken))
                : _credential?.Password is { } password ? Basic(_credential.User, password) : null;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Takes a 401 answer.</summary>
    /// <returns>Whether the same request may be sent once more with what <see cref="HeaderAsync"/> gives now.</returns>
    public bool Challenged(HttpResponseMessage response, string scope)
    {
        var known = _challenge;
        _challenge = Read(response) ?? known;
        if (response.RequestMessage?.Headers.Authorization is not { } used)
        {
            return _challenge is not null;
        }

        // A refused password stays refused. A refused token may just have expired, or not cover a new scope.
        if (used.Scheme == "Bearer" && _tokens.TryGetValue(scope, out var token) && token.Value == used.Parameter)
        {
            _tokens.TryRemove(new(scope, token));
        }

        return used.Scheme == "Bearer";
    }

    private string? Fresh(string scope) =>
        _tokens.TryGetValue(scope, out var token) && token.Expires - Margin > time.GetUtcNow() ? token.Value : null;

    private static AuthenticationHeaderValue Basic(string user, Secret password) =>
        new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{user}:{password.Reveal()}")));

    private async Task<string> FetchAsync(BearerChallenge challenge, string scope, CancellationToken cancellationToken)
    {
        using var request = _credential?.IdentityToken is { } identity ? OAuth(challenge, scope, identity) : Plain(challenge, scope, _credential);
        using var response = await http.SendAsync(request, cancellationToken);
        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden or HttpStatusCode.BadRequest)
        {
            throw RegistryFailure.Refused(host, _credential is not null, await response.Content.ReadAsStringAsync(cancellationToken));
        }

        // Anything else that is not a success is for the caller's retries.
        response.EnsureSuccessStatusCode();
        var answer = JsonSerializer.Deserialize(await response.Content.ReadAsStreamAsync(cancellationToken), TokenJson.Default.TokenAnswer);
        if ((answer?.Token ?? answer?.AccessToken) is not { Length: > 0 } value)
        {
            throw new K3sException(ExitCodes.Failed, $"the token server of registry {host} ({challenge.Realm}) gave no token", $"Log in again: docker login {host}");
        }

        mask.Add(new(value));
        var lifetime = TimeSpan.FromSeconds(answer!.ExpiresIn ?? 0);
        _tokens[scope] = new(value, time.GetUtcNow() + (lifetime > ShortestLifetime ? lifetime : ShortestLifetime));
        return value;
    }

    private static HttpRequestMessage Plain(BearerChallenge challenge, string scope, RegistryCredential? credential)
    {
        // GET, not POST: Gitea's token address knows no other.
        IEnumerable<string> query = scope.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(one => "scope=" + Uri.EscapeDataString(one));
        query = challenge.Service is null ? query : query.Prepend("service=" + Uri.EscapeDataString(challenge.Service));
        var address = new UriBuilder(challenge.Realm);
        address.Query = string.Join('&', address.Query.TrimStart('?') is { Length: > 0 } own ? query.Prepend(own) : query);
        var request = new HttpRequestMessage(HttpMethod.Get, address.Uri);
        if (credential?.Password is { } password)
        {
            request.Headers.Authorization = Basic(credential.User, password);
        }

        return request;
    }

    private static HttpRequestMessage OAuth(BearerChallenge challenge, string scope, Secret identityToken) =>
        new(HttpMethod.Post, challenge.Realm)
        {
            Content = new FormUrlEncodedContent(new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["refresh_token"] = identityToken.Reveal(),
                ["service"] = challenge.Service ?? "",
                ["scope"] = scope,
                ["client_id"] = "cake-k3s",
            }),
        };

    private static Challenge? Read(HttpResponseMessage response)
    {
        foreach (var header in response.Headers.WwwAuthenticate)
        {
            if (string.Equals(header.Scheme, "Basic", StringComparison.OrdinalIgnoreCase))
            {
                return new BasicChallenge();
            }

            if (string.Equals(header.Scheme, "Bearer", StringComparison.OrdinalIgnoreCase))
            {
                var values = Parameter().Matches(header.Parameter ?? "").ToDictionary(match => match.Groups[1].Value, match => match.Groups[2].Value, StringComparer.OrdinalIgnoreCase);
                if (values.TryGetValue("realm", out var realm) && Uri.TryCreate(response.RequestMessage?.RequestUri, realm, out var address))
                {
                    return new BearerChallenge(address, values.GetValueOrDefault("service"));
                }
            }
        }

        return null;
    }

    [GeneratedRegex("([a-zA-Z_]+)=\"([^\"]*)\"")]
    private static partial Regex Parameter();

    private abstract record Challenge;

    private sealed record BasicChallenge : Challenge;

    private sealed record BearerChallenge(Uri Realm, string? Service) : Challenge;

    private sealed record Token(string Value, DateTimeOffset Expires);
}

/// <summary>What a token server answers.</summary>
internal sealed class TokenAnswer
{
    [JsonPropertyName("token")]
    public string? Token { get; init; }

    [JsonPropertyName("access_token")]
    public string? AccessToken { get; init; }

    [JsonPropertyName("expires_in")]
    public double? ExpiresIn { get; init; }
}

/// <summary>Reads these documents.</summary>
[JsonSerializable(typeof(TokenAnswer))]
internal sealed partial class TokenJson : JsonSerializerContext;
