using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Edge.Cloudflare;

/// <summary>
/// Requests to Cloudflare's API, version 4: a token, an envelope around every answer, and patience with an API that is busy
/// (https://developers.cloudflare.com/fundamentals/api/).
/// </summary>
/// <param name="http">Sends requests.</param>
/// <param name="address">The API's address, without a slash at its end.</param>
/// <param name="token">The API token.</param>
/// <param name="time">Waits between two attempts.</param>
internal sealed class CloudflareApi(HttpClient http, Uri address, Secret token, TimeProvider time)
{
    private const int PageSize = 50;
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull,
    };

    private readonly PatientHttp _http = new(http, time);

    /// <summary>Asks for one thing.</summary>
    /// <param name="purpose">What for, as in <c>cannot PURPOSE</c>.</param>
    /// <param name="path">The path below the API's address, with its query.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="CloudflareException">Cloudflare refuses, or does not answer.</exception>
    public async Task<T> GetAsync<T>(string purpose, string path, CancellationToken cancellationToken) =>
        Read<T>(purpose, await SendAsync(purpose, HttpMethod.Get, path, null, cancellationToken));

    /// <summary>Asks for one thing that may not be there.</summary>
    /// <returns>Null for an answer of 404.</returns>
    public async Task<T?> FindAsync<T>(string purpose, string path, CancellationToken cancellationToken)
        where T : class
    {
        try
        {
            return await GetAsync<T>(purpose, path, cancellationToken);
        }
        catch (CloudflareException failure) when (failure.Status == HttpStatusCode.NotFound)
        {
            return null;
        }
    }

    /// <summary>Asks for all pages of a list.</summary>
    public async Task<IReadOnlyList<T>> ListAsync<T>(string purpose, string path, CancellationToken cancellationToken)
    {
        var all = new List<T>();
        for (var page = 1; ; page++)
        {
            var separator = path.Contains('?', StringComparison.Ordinal) ? '&' : '?';
            var answer = await SendAsync(purpose, HttpMethod.Get, $"{path}{separator}page={page}&per_page={PageSize}", null, cancellationToken);
            all.AddRange(Read<List<T>>(purpose, answer));

            // Lists that come whole have no count of pages.
            if (page >= (answer["result_info"]?["total_pages"]?.GetValue<int>() ?? 1))
            {
                return all;
            }
        }
    }

    /// <summary>Changes something.</summary>
    public async Task<T> SendAsync<T>(string purpose, HttpMethod method, string path, object body, CancellationToken cancellationToken) =>
        Read<T>(purpose, await SendAsync(purpose, method, path, body, cancellationToken));

    /// <summary>Deletes something.</summary>
    /// <returns>Whether it was there.</returns>
    public async Task<bool> DeleteAsync(string purpose, string path, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(purpose, HttpMethod.Delete, path, null, cancellationToken);
            return true;
        }
        catch (CloudflareException failure) when (failure.Status == HttpStatusCode.NotFound)
        {
            return false;
        }
    }

    private static T Read<T>(string purpose, JsonObject answer)
    {
        try
        {
            return answer["result"].Deserialize<T>(Json) ?? throw new JsonException("there is no result");
        }
        catch (JsonException unexpected)
        {
            throw CloudflareException.Unreadable(purpose, unexpected);
        }
    }

    private async Task<JsonObject> SendAsync(string purpose, HttpMethod method, string path, object? body, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.SendAsync(
                () => new(method, new Uri(address + path))
                {
                    Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal()) },
                    Content = body is null ? null : new StringContent(JsonSerializer.Serialize(body, Json), new MediaTypeHeaderValue("application/json")),
                },
                cancellationToken);
            return await ReadAsync(purpose, response, cancellationToken);
        }
        catch (HttpRequestException unreachable)
        {
            throw CloudflareException.Unreachable(purpose, address, unreachable);
        }
    }

    private static async Task<JsonObject> ReadAsync(string purpose, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        JsonObject? answer;
        try
        {
            answer = JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            // A page of HTML, from what stands before the API.
            answer = null;
        }

        return response.IsSuccessStatusCode && answer?["success"]?.GetValue<bool>() == true
            ? answer
            : throw CloudflareException.Of(purpose, response.StatusCode, answer);
    }
}
