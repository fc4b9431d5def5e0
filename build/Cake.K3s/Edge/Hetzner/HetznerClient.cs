using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Cake.K3s.Settings;

namespace Cake.K3s.Edge.Hetzner;

/// <summary>
/// Hetzner's cloud API as published at docs.hetzner.cloud, as far as networks need it. What passes is tried again: limits of rate until
/// they are lifted, failures of the service, and resources that another action holds.
/// </summary>
/// <param name="http">Answers HTTP.</param>
/// <param name="token">A token of the project that may read and write.</param>
/// <param name="time">For waiting.</param>
internal sealed class HetznerClient(HttpClient http, Secret token, TimeProvider time)
{
    /// <summary>The API's address.</summary>
    public static Uri Address { get; } = new("https://api.hetzner.cloud/v1/");

    private const int Attempts = 6;
    private const int PageSize = 50;
    private static readonly TimeSpan FirstDelay = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ActionLimit = TimeSpan.FromMinutes(5);

    /// <summary>All servers of the project.</summary>
    /// <exception cref="HetznerException">The API refused or could not be reached.</exception>
    public async Task<IReadOnlyList<HetznerServer>> ServersAsync(CancellationToken cancellationToken)
    {
        var servers = new List<HetznerServer>();
        for (long? page = 1; page is { } number;)
        {
            var answer = await SendAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"servers?page={number}&per_page={PageSize}"), null, cancellationToken);
            servers.AddRange(answer["servers"]!.AsArray().Select(server => HetznerServer.Of(server!)));
            page = (long?)answer["meta"]?["pagination"]?["next_page"];
        }

        return servers;
    }

    /// <summary>The network of a name; null for none.</summary>
    /// <exception cref="HetznerException">The API refused or could not be reached.</exception>
    public async Task<HetznerNetwork?> NetworkAsync(string name, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(HttpMethod.Get, $"networks?name={Uri.EscapeDataString(name)}", null, cancellationToken);
        return answer["networks"]!.AsArray() is [{ } network, ..] ? HetznerNetwork.Of(network) : null;
    }

    /// <summary>Makes a network with one subnet for servers.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="range">Its addresses, which are its subnet's too.</param>
    /// <param name="zone">The network zone, e.g. <c>eu-central</c>.</param>
    /// <param name="label">A label that tells who made it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="HetznerException">The name is taken (<see cref="HetznerException.IsNameTaken"/>), or it was refused otherwise.</exception>
    public async Task<HetznerNetwork> MakeNetworkAsync(string name, string range, string zone, string label, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(
            HttpMethod.Post,
            "networks",
            new JsonObject
            {
                ["name"] = name,
                ["ip_range"] = range,
                ["labels"] = new JsonObject { [HetznerNetwork.MadeBy] = label },
                ["subnets"] = new JsonArray(new JsonObject { ["type"] = "cloud", ["ip_range"] = range, ["network_zone"] = zone }),
            },
            cancellationToken);
        return HetznerNetwork.Of(answer["network"]!);
    }

    /// <summary>Deletes a network; one that is gone already is no error.</summary>
    /// <exception cref="HetznerException">It was refused.</exception>
    public async Task DeleteNetworkAsync(long network, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(HttpMethod.Delete, string.Create(CultureInfo.InvariantCulture, $"networks/{network}"), null, cancellationToken);
        }
        catch (HetznerException gone) when (gone.Code == "not_found")
        {
            // By an earlier try.
        }
    }

    /// <summary>Attaches a server to a network and waits until it is; one that is attached already is no error.</summary>
    /// <exception cref="HetznerException">It was refused, or the action failed.</exception>
    public Task AttachAsync(long server, long network, CancellationToken cancellationToken) =>
        ActAsync(server, network, "attach_to_network", "server_already_attached", cancellationToken);

    /// <summary>Detaches a server from a network and waits until it is; one that is not attached is no error.</summary>
    /// <exception cref="HetznerException">It was refused, or the action failed.</exception>
    public Task DetachAsync(long server, long network, CancellationToken cancellationToken) =>
        ActAsync(server, network, "detach_from_network", "server_not_attached", cancellationToken);

    // A request whose answer was lost may have been carried out: the second one is told that there is nothing to do.
    private async Task ActAsync(long server, long network, string action, string done, CancellationToken cancellationToken)
    {
        JsonNode answer;
        try
        {
            answer = await SendAsync(
                HttpMethod.Post, string.Create(CultureInfo.InvariantCulture, $"servers/{server}/actions/{action}"), new JsonObject { ["network"] = network }, cancellationToken);
        }
        catch (HetznerException already) when (already.Code == done)
        {
            return;
        }

        var start = time.GetTimestamp();
        var id = (long)answer["action"]!["id"]!;
        while ((string)answer["action"]!["status"]! != "success")
        {
            if ((string)answer["action"]!["status"]! == "error")
            {
                throw new HetznerException((string?)answer["action"]!["error"]?["code"] ?? "", $"{action} of server {server} failed: {(string?)answer["action"]!["error"]?["message"]}");
            }

            if (time.GetElapsedTime(start) > ActionLimit)
            {
                throw new HetznerException("timeout", $"{action} of server {server} is not done after {ActionLimit.TotalMinutes:0} min (action {id})");
            }

            await Task.Delay(BetweenLooks, time, cancellationToken);
            answer = await SendAsync(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"actions/{id}"), null, cancellationToken);
        }
    }

    private async Task<JsonNode> SendAsync(HttpMethod method, string path, JsonObject? body, CancellationToken cancellationToken)
    {
        var delay = FirstDelay;
        for (var attempt = 1; ; attempt++)
        {
            var wait = delay;
            try
            {
                using var request = new HttpRequestMessage(method, new Uri(Address, path)) { Content = body is null ? null : JsonContent.Create(body) };
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.Reveal());
                using var response = await http.SendAsync(request, cancellationToken);
                var text = await response.Content.ReadAsStringAsync(cancellationToken);
                if (response.IsSuccessStatusCode)
                {
                    return text.Length == 0 ? new JsonObject() : JsonNode.Parse(text)!;
                }

                var refusal = Refusal(method, path, response.StatusCode, text);
                if (attempt == Attempts || !IsPassing(response.StatusCode, refusal.Code))
                {
                    throw refusal;
                }

                wait = Lifted(response) ?? delay;
            }
            catch (Exception failure) when (failure is HttpRequestException or JsonException || (failure is TaskCanceledException && !cancellationToken.IsCancellationRequested))
            {
                if (attempt == Attempts)
                {
                    throw new HetznerException("unreachable", $"{method} {path}: {failure.GetBaseException().Message}", failure);
                }
            }

            await Task.Delay(wait < LongestDelay ? wait : LongestDelay, time, cancellationToken);
            delay *= 2;
        }
    }

    private static bool IsPassing(HttpStatusCode status, string code) =>
        status == HttpStatusCode.TooManyRequests || (int)status >= 500 || code is "locked" or "conflict" or "resource_unavailable";

    // A limit of rate is lifted at a time in seconds since 1970.
    private TimeSpan? Lifted(HttpResponseMessage response)
    {
        if (response.StatusCode != HttpStatusCode.TooManyRequests)
        {
            return null;
        }

        var at = response.Headers.TryGetValues("RateLimit-Reset", out var values) && long.TryParse(values.First(), CultureInfo.InvariantCulture, out var seconds)
            ? DateTimeOffset.FromUnixTimeSeconds(seconds) - time.GetUtcNow()
            : response.Headers.RetryAfter?.Delta;
        return at > TimeSpan.Zero ? at : null;
    }

    private static HetznerException Refusal(HttpMethod method, string path, HttpStatusCode status, string text)
    {
        try
        {
            var error = JsonNode.Parse(text)?["error"];
            return new HetznerException((string?)error?["code"] ?? "", $"{method} {path} was refused ({(int)status}): {(string?)error?["message"] ?? "without a reason"}");
        }
        catch (Exception unreadable) when (unreadable is JsonException or InvalidOperationException)
        {
            return new HetznerException("", $"{method} {path} was answered with {(int)status} and no JSON", unreadable);
        }
    }
}
