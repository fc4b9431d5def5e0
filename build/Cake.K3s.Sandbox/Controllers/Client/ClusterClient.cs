using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using k8s;
using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>
/// The Kubernetes API by kind: the verbs that controllers need, over the models of KubernetesClient. Its own generic client has no
/// subresources and no merge patches.
/// </summary>
internal sealed class ClusterClient
{
    private static readonly TimeSpan RequestTimeout = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;

    /// <param name="http">Has the base address and the credentials; its timeout must be infinite, because watches stay open.</param>
    public ClusterClient(HttpClient http)
    {
        _http = http;
        http.Timeout = Timeout.InfiniteTimeSpan;
    }

    public Task<T> GetAsync<T>(ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        SendAsync<T>(HttpMethod.Get, ResourceType.Of<T>().Path(key.Namespace, key.Name), null, null, cancellationToken);

    /// <summary>The object, or null where there is none.</summary>
    public async Task<T?> FindAsync<T>(ObjectKey key, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        try
        {
            return await GetAsync<T>(key, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound)
        {
            return null;
        }
    }

    /// <summary>All objects of a kind, and the version of the collection to watch from.</summary>
    public async Task<(IReadOnlyList<T> Items, string ResourceVersion)> ListAsync<T>(CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var type = ResourceType.Of<T>();
        using var response = await SendAsync(HttpMethod.Get, type.Path(), null, null, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var document = await JsonDocument.ParseAsync(body, cancellationToken: cancellationToken);
        var items = new List<T>();
        if (document.RootElement.TryGetProperty("items", out var list) && list.ValueKind == JsonValueKind.Array)
        {
            foreach (var element in list.EnumerateArray())
            {
                var item = KubernetesJson.Deserialize<T>(element);
                item.ApiVersion = type.ApiVersion;
                item.Kind = type.Kind;
                items.Add(item);
            }
        }

        return (items, document.RootElement.GetProperty("metadata").GetProperty("resourceVersion").GetString() ?? "");
    }

    /// <summary>The changes of a kind since a version of its collection, until the server ends the watch.</summary>
    /// <exception cref="ApiException">The server refuses the version (410), or reports an error in the stream.</exception>
    public async IAsyncEnumerable<(string Type, T Item)> WatchAsync<T>(
        string resourceVersion,
        [EnumeratorCancellation] CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var path = $"{ResourceType.Of<T>().Path()}?watch=true&allowWatchBookmarks=true&resourceVersion={resourceVersion}";
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        await ThrowIfFailedAsync(response, cancellationToken);
        await using var body = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var reader = new StreamReader(body);
        while (await reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.Length == 0)
            {
                continue;
            }

            using var document = JsonDocument.Parse(line);
            var type = document.RootElement.GetProperty("type").GetString() ?? "";
            var item = document.RootElement.GetProperty("object");
            if (type == "ERROR")
            {
                var status = KubernetesJson.Deserialize<V1Status>(item);
                throw new ApiException((HttpStatusCode)(status.Code ?? 500), status.Reason ?? "", status.Message ?? "The watch failed.");
            }

            yield return (type, KubernetesJson.Deserialize<T>(item));
        }
    }

    public Task<T> CreateAsync<T>(T item, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var type = ResourceType.Of<T>();
        item.ApiVersion = type.ApiVersion;
        item.Kind = type.Kind;
        return SendAsync<T>(HttpMethod.Post, type.Path(item.Metadata.NamespaceProperty), item, null, cancellationToken);
    }

    /// <summary>Creates a subresource that is an action, e.g. a Binding or an Eviction.</summary>
    public async Task<JsonNode?> PostAsync<T>(ObjectKey key, string subresource, object body, CancellationToken cancellationToken)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        using var response = await SendAsync(
            HttpMethod.Post, ResourceType.Of<T>().Path(key.Namespace, key.Name, subresource), body, null, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return JsonNode.Parse(await response.Content.ReadAsStringAsync(cancellationToken));
    }

    /// <summary>Writes the object as it is; fails with a conflict when its version is not the current one.</summary>
    public Task<T> ReplaceAsync<T>(T item, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var type = ResourceType.Of<T>();
        item.ApiVersion = type.ApiVersion;
        item.Kind = type.Kind;
        var key = ObjectKey.Of(item);
        return SendAsync<T>(HttpMethod.Put, type.Path(key.Namespace, key.Name, subresource), item, null, cancellationToken);
    }

    public Task<T> PatchAsync<T>(ObjectKey key, JsonObject patch, CancellationToken cancellationToken, string? subresource = null)
        where T : class, IKubernetesObject<V1ObjectMeta> =>
        SendAsync<T>(HttpMethod.Patch, ResourceType.Of<T>().Path(key.Namespace, key.Name, subresource), patch, "application/merge-patch+json", cancellationToken);

    /// <summary>Deletes this object and no later one of its name; one that is gone already is no error.</summary>
    public async Task DeleteAsync<T>(
        T item,
        CancellationToken cancellationToken,
        long? gracePeriodSeconds = null,
        string? propagation = null)
        where T : class, IKubernetesObject<V1ObjectMeta>
    {
        var key = ObjectKey.Of(item);
        var options = new V1DeleteOptions
        {
            ApiVersion = "v1",
            Kind = "DeleteOptions",
            GracePeriodSeconds = gracePeriodSeconds,
            PropagationPolicy = propagation,
            Preconditions = new V1Preconditions { Uid = item.Metadata.Uid },
        };
        try
        {
            using var response = await SendAsync(
                HttpMethod.Delete, ResourceType.Of<T>().Path(key.Namespace, key.Name), options, null, HttpCompletionOption.ResponseContentRead, cancellationToken);
        }
        catch (ApiException e) when (e.IsNotFound || e.IsConflict)
        {
            // Gone, or another object has the name by now: this one does not exist any more.
        }
    }

    private async Task<T> SendAsync<T>(HttpMethod method, string path, object? body, string? mediaType, CancellationToken cancellationToken)
    {
        using var response = await SendAsync(method, path, body, mediaType, HttpCompletionOption.ResponseContentRead, cancellationToken);
        return KubernetesJson.Deserialize<T>(await response.Content.ReadAsStringAsync(cancellationToken));
    }

    private async Task<HttpResponseMessage> SendAsync(
        HttpMethod method, string path, object? body, string? mediaType, HttpCompletionOption completion, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(RequestTimeout);
        using var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            var json = body is JsonNode node ? node.ToJsonString() : KubernetesJson.Serialize(body);
            request.Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue(mediaType ?? "application/json"));
        }

        HttpResponseMessage? response = null;
        try
        {
            response = await _http.SendAsync(request, completion, timeout.Token);
            await ThrowIfFailedAsync(response, timeout.Token);
            return response;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            response?.Dispose();
            throw new HttpRequestException($"The Kubernetes API did not answer {method} {path} within {RequestTimeout.TotalSeconds:0} s.", e);
        }
        catch
        {
            response?.Dispose();
            throw;
        }
    }

    private static async Task ThrowIfFailedAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        V1Status? status = null;
        if (text.StartsWith('{'))
        {
            status = KubernetesJson.Deserialize<V1Status>(text);
        }

        throw new ApiException(response.StatusCode, status?.Reason ?? "", status?.Message ?? $"{(int)response.StatusCode} {text}".Trim());
    }
}
