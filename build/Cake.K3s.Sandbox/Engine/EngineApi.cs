using System.Net;
using System.Text.Json;

namespace Cake.K3s.Sandbox.Engine;

/// <summary>The few questions that are asked of an engine before anything runs on it.</summary>
internal sealed class EngineApi(string socket) : IDisposable
{
    private readonly HttpClient _http = UnixSocketHttp.Client(socket, TimeSpan.FromSeconds(10));

    /// <summary>Why the engine cannot be used; null when it answers.</summary>
    public async Task<string?> ProblemAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _http.GetAsync("/_ping", cancellationToken);
            return response.IsSuccessStatusCode ? null : $"it answers {(int)response.StatusCode}";
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return exception.Message;
        }
    }

    /// <summary>Whether images live in containerd's store, which is what lets buildx write an OCI archive.</summary>
    public async Task<bool> HasContainerdStoreAsync(CancellationToken cancellationToken)
    {
        var information = await _http.GetFromJsonAsync<JsonElement>("/info", cancellationToken);
        return information.GetProperty("DriverStatus").EnumerateArray().Any(pair =>
            pair[0].GetString() == "driver-type" && pair[1].GetString() == "io.containerd.snapshotter.v1");
    }

    /// <summary>The engine's version.</summary>
    public async Task<string> VersionAsync(CancellationToken cancellationToken) =>
        (await _http.GetFromJsonAsync<JsonElement>("/version", cancellationToken)).GetProperty("Version").GetString() ?? "";

    /// <summary>The address and the subnet of the network that containers are put into by default; null where it has none in IPv4.</summary>
    public async Task<(IPAddress Gateway, IPNetwork Subnet)?> BridgeAsync(CancellationToken cancellationToken)
    {
        using var response = await _http.GetAsync("/networks/bridge", cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return null;
        }

        response.EnsureSuccessStatusCode();
        var network = await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken);
        foreach (var pool in network.GetProperty("IPAM").GetProperty("Config").EnumerateArray())
        {
            if (pool.TryGetProperty("Gateway", out var gateway)
                && IPAddress.TryParse(gateway.GetString(), out var address)
                && IPNetwork.TryParse(pool.GetProperty("Subnet").GetString(), out var subnet))
            {
                return (address, subnet);
            }
        }

        return null;
    }

    /// <summary>Ends and removes the containers that carry a label, or all.</summary>
    public async Task RemoveContainersAsync(string? label, CancellationToken cancellationToken)
    {
        var filter = label is null ? "" : "&filters=" + Uri.EscapeDataString(JsonSerializer.Serialize(new { label = (string[])[label] }));
        var containers = await _http.GetFromJsonAsync<JsonElement>("/containers/json?all=true" + filter, cancellationToken);
        await Parallel.ForEachAsync(
            containers.EnumerateArray().Select(container => container.GetProperty("Id").GetString()),
            cancellationToken,
            async (id, token) =>
            {
                using var response = await _http.DeleteAsync($"/containers/{id}?force=true&v=true", token);
                if (response.StatusCode is not (HttpStatusCode.NotFound or HttpStatusCode.Conflict))
                {
                    // A conflict is a removal that is under way already.
                    response.EnsureSuccessStatusCode();
                }
            });
    }

    public void Dispose() => _http.Dispose();
}
