using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Settings;

namespace Cake.K3s.Edge.BetterStack;

/// <summary>Monitors and heartbeats at Better Stack: its Uptime API, version 2 (https://betterstack.com/docs/uptime/api/).</summary>
/// <param name="http">Sends requests.</param>
/// <param name="address">The API's address, without a slash at its end.</param>
/// <param name="token">The API token of the team.</param>
/// <param name="time">Waits between two attempts.</param>
internal sealed class BetterStackApi(HttpClient http, Uri address, Secret token, TimeProvider time)
{
    private const string Again = "The same target again goes on where this one ended.";
    private readonly PatientHttp _http = new(http, time);

    /// <summary>All of a kind.</summary>
    /// <param name="kind"><c>monitors</c> or <c>heartbeats</c>.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="K3sException">Better Stack refuses, or does not answer.</exception>
    public async Task<IReadOnlyList<BetterStackItem>> ListAsync(string kind, CancellationToken cancellationToken)
    {
        var all = new List<BetterStackItem>();
        for (var page = 1; ; page++)
        {
            var answer = await SendAsync($"list the {kind}", HttpMethod.Get, $"{kind}?page={page}", null, cancellationToken);
            all.AddRange(answer.Objects("data").Select(Read));
            if (answer.Text("pagination", "next") is null)
            {
                return all;
            }
        }
    }

    /// <summary>Makes one.</summary>
    public async Task<BetterStackItem> CreateAsync(string kind, JsonObject attributes, CancellationToken cancellationToken) =>
        Read((await SendAsync($"make one of the {kind}", HttpMethod.Post, kind, attributes, cancellationToken))["data"]!.AsObject());

    /// <summary>Changes one.</summary>
    public Task ChangeAsync(string kind, string id, JsonObject attributes, CancellationToken cancellationToken) =>
        SendAsync($"change {id} of the {kind}", HttpMethod.Patch, $"{kind}/{id}", attributes, cancellationToken);

    /// <summary>Deletes one, if it is there.</summary>
    public Task DeleteAsync(string kind, string id, CancellationToken cancellationToken) =>
        SendAsync($"delete {id} of the {kind}", HttpMethod.Delete, $"{kind}/{id}", null, cancellationToken);

    private static BetterStackItem Read(JsonObject item) => new(item["id"]!.ToString(), item["attributes"]!.AsObject());

    private async Task<JsonObject> SendAsync(string purpose, HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.SendAsync(
                () => new(method, new Uri($"{address}/api/v2/{path}"))
                {
                    Headers = { Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal()) },
                    Content = body is null ? null : new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json")),
                },
                cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            if (response.IsSuccessStatusCode || (method == HttpMethod.Delete && response.StatusCode == HttpStatusCode.NotFound))
            {
                return text.Length == 0 || method == HttpMethod.Delete ? [] : JsonNode.Parse(text)!.AsObject();
            }

            throw Refused(purpose, response.StatusCode, text);
        }
        catch (HttpRequestException unreachable)
        {
            throw new K3sException(ExitCodes.Failed, $"Better Stack: cannot {purpose}: {address.Host} does not answer: {unreachable.GetBaseException().Message}", Again, innerException: unreachable);
        }
        catch (JsonException unexpected)
        {
            throw new K3sException(ExitCodes.Failed, $"Better Stack: cannot {purpose}: its answer is no JSON: {unexpected.Message}", $"See that uptime.betterStack.api is right. {Again}", innerException: unexpected);
        }
    }

    // {"errors": "Invalid Team API token"} or {"errors": {"url": ["is invalid"]}}
    private static K3sException Refused(string purpose, HttpStatusCode status, string text)
    {
        string? errors;
        try
        {
            errors = JsonNode.Parse(text)?["errors"] switch { null => null, JsonObject members => members.ToJsonString(), var other => other.ToString() };
        }
        catch (JsonException)
        {
            errors = null;
        }

        return new(
            ExitCodes.Failed,
            $"Better Stack: cannot {purpose}: {errors ?? "it said no more"} ({(int)status})",
            status switch
            {
                HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "Give uptime.betterStack.token the Uptime API token of the team.",
                HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError => Again,
                _ => "Correct 'uptime' of the environment in deploy.yaml; docs/uptime.md describes it.",
            });
    }
}

/// <summary>A monitor or a heartbeat.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Attributes">All that is known of it.</param>
internal sealed record BetterStackItem(string Id, JsonObject Attributes);
