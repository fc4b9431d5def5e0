using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>
/// The API of one cluster. Objects are JSON nodes, so fields that this library does not know survive. Requests are sent again
/// when that is safe; every failure is a <see cref="KubernetesApiException"/> or a <see cref="ClusterUnreachableException"/>.
/// Safe to use from many threads.
/// </summary>
public sealed class ClusterApi : IDisposable
{
    // As kubectl does: a list of thousands comes in parts, so that neither side holds all of it as one answer.
    private const int ChunkSize = 500;

    private readonly ApiTransport _transport;
    private readonly ApiDiscovery _discovery;
    private readonly ObjectWatcher _watcher;
    private readonly TimeProvider _time;
    private readonly IDisposable? _connection;

    /// <summary>Makes a client.</summary>
    /// <param name="handler">Sends the requests, with credentials.</param>
    /// <param name="server">The API's address.</param>
    /// <param name="namespaceName">The namespace of keys and objects that name none.</param>
    /// <param name="time">The clock.</param>
    /// <param name="retry">How often requests are repeated.</param>
    /// <param name="warn">Takes the API's own warnings, e.g. of a deprecated version.</param>
    /// <param name="connection">What is disposed of together with the client.</param>
    internal ClusterApi(
        HttpMessageHandler handler,
        Uri server,
        string namespaceName,
        TimeProvider? time = null,
        RetryOptions? retry = null,
        Action<string>? warn = null,
        IDisposable? connection = null)
    {
        _time = time ?? TimeProvider.System;
        _transport = new(new HttpMessageInvoker(handler), server, _time, retry ?? new(), warn ?? (_ => { }));
        _discovery = new(_transport);
        _watcher = new(_transport, _time);
        _connection = connection;
        Namespace = namespaceName;
    }

    /// <summary>The API's address.</summary>
    public Uri Server => _transport.Server;

    /// <summary>The namespace of keys and objects that name none.</summary>
    public string Namespace { get; }

    /// <summary>The requests that had to be sent again so far.</summary>
    public RetryTally Retries => _transport.Retries;

    /// <summary>Every type that the API serves.</summary>
    public Task<ImmutableArray<ApiResource>> ResourcesAsync(CancellationToken cancellationToken) => _discovery.AllAsync(cancellationToken);

    /// <summary>How the API serves a type; null if it does not.</summary>
    public Task<ApiResource?> FindResourceAsync(GroupVersionKind type, CancellationToken cancellationToken) =>
        _discovery.FindAsync(type, cancellationToken);

    /// <summary>How the API serves a type.</summary>
    /// <exception cref="K3sException">It does not.</exception>
    public async Task<ApiResource> ResourceAsync(GroupVersionKind type, CancellationToken cancellationToken)
    {
        if (await _discovery.FindAsync(type, cancellationToken) is { } resource)
        {
            return resource;
        }

        var others = (await _discovery.AllAsync(cancellationToken))
            .Where(other => other.Type.Kind == type.Kind)
            .Select(other => other.Type.ApiVersion)
            .ToList();
        throw new K3sException(
            ExitCodes.Failed,
            $"the cluster knows no {type.Kind} of {type.ApiVersion}",
            others.Count > 0
                ? $"it knows {type.Kind} of {string.Join(", ", others)}: use that apiVersion"
                : "install the CustomResourceDefinition that brings this kind, or correct apiVersion and kind");
    }

    /// <summary>The namespace in which the API keeps an object: its own, the client's, or null for a type without namespaces.</summary>
    /// <exception cref="K3sException">The API does not serve the type.</exception>
    public async Task<ObjectKey> ResolveAsync(ObjectKey key, CancellationToken cancellationToken)
    {
        var resource = await ResourceAsync(key.Type, cancellationToken);
        return key with { Namespace = resource.Namespaced ? key.Namespace ?? Namespace : null };
    }

    /// <summary>Reads an object; null if it is not there.</summary>
    public async Task<JsonObject?> GetAsync(ObjectKey key, CancellationToken cancellationToken, string? subresource = null)
    {
        var request = new ApiRequest(HttpMethod.Get, await PathAsync(key, subresource, cancellationToken), $"read {key}");
        var response = await _transport.SendAsync(request, cancellationToken);
        return response.StatusCode == HttpStatusCode.NotFound ? null : Read(request, response);
    }

    /// <summary>Lists objects.</summary>
    /// <param name="type">Their type.</param>
    /// <param name="namespaceName">Their namespace; null for all namespaces or for a type without.</param>
    /// <param name="options">Which of them; null for all.</param>
    /// <param name="cancellationToken">Ends it.</param>
    public async Task<ObjectList> ListAsync(
        GroupVersionKind type, string? namespaceName, ListOptions? options, CancellationToken cancellationToken)
    {
        var (items, version) = await ListAsync(type, namespaceName, options, item => item, cancellationToken);
        return new(items, version);
    }

    /// <summary>Lists what a caller keeps of objects; of the objects themselves no more are held than come in one part of the list.</summary>
    internal async Task<(List<T> Items, string ResourceVersion)> ListAsync<T>(
        GroupVersionKind type, string? namespaceName, ListOptions? options, Func<JsonObject, T> keep, CancellationToken cancellationToken)
    {
        var resource = await ResourceAsync(type, cancellationToken);
        var path = resource.Path(namespaceName) + Query(("labelSelector", options?.LabelSelector), ("fieldSelector", options?.FieldSelector));
        var separator = path.Contains('?') ? '&' : '?';
        var items = new List<T>();
        var next = $"{separator}limit={ChunkSize}";
        while (true)
        {
            var request = new ApiRequest(HttpMethod.Get, path + next, $"list {type.Kind}");
            var response = await _transport.SendAsync(request, cancellationToken);
            if (response.StatusCode == HttpStatusCode.Gone && items.Count > 0)
            {
                // The list changed too much between two parts: take it in one.
                items.Clear();
                next = "";
                continue;
            }

            var list = Read(request, response);
            items.AddRange(ItemsOf(list, type).Select(keep));
            if (list.Text("metadata", "continue") is not { Length: > 0 } token)
            {
                return (items, list.ResourceVersion() ?? "");
            }

            next = $"{separator}limit={ChunkSize}&continue={Uri.EscapeDataString(token)}";
        }
    }

    /// <summary>
    /// Watches objects without a gap, for as long as the caller reads: first those that are there, then
    /// <see cref="WatchEventType.Synced"/>, then every change. Cut connections are resumed and not seen.
    /// </summary>
    /// <param name="type">Their type.</param>
    /// <param name="namespaceName">Their namespace; null for all namespaces or for a type without.</param>
    /// <param name="options">Which of them; null for all.</param>
    /// <param name="cancellationToken">Ends the watch.</param>
    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        GroupVersionKind type,
        string? namespaceName,
        ListOptions? options,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var resource = await ResourceAsync(type, cancellationToken);
        var path = resource.Path(namespaceName) + Query(("labelSelector", options?.LabelSelector), ("fieldSelector", options?.FieldSelector));
        await foreach (var change in _watcher.WatchAsync(
            type, path, cancellation => ListAsync(type, namespaceName, options, cancellation), cancellationToken))
        {
            yield return change;
        }
    }

    /// <summary>Makes an object.</summary>
    /// <returns>The object as the API stored it.</returns>
    /// <exception cref="KubernetesApiException">It exists already, or is refused.</exception>
    public async Task<JsonObject> CreateAsync(JsonObject node, CancellationToken cancellationToken, WriteOptions? options = null)
    {
        options ??= new();
        var key = await ResolveAsync(ObjectKey.Of(node), cancellationToken);
        var named = key.Name.Length > 0;
        var resource = await ResourceAsync(key.Type, cancellationToken);
        var path = named && options.Subresource is not null
            ? resource.Path(key.Namespace, key.Name, options.Subresource)
            : resource.Path(key.Namespace);
        var request = new ApiRequest(HttpMethod.Post, path + WriteQuery(options), $"create {key}")
        {
            Body = Bytes(node),

            // A generated name would make a second object.
            Repeatable = named,
        };
        return await WriteOnceAsync(request, key, node, cancellationToken);
    }

    /// <summary>
    /// Replaces an object. If it says a <c>metadata.resourceVersion</c>, only that version of it.
    /// </summary>
    /// <returns>The object as the API stored it.</returns>
    /// <exception cref="KubernetesApiException">It was changed since, or is refused.</exception>
    public async Task<JsonObject> ReplaceAsync(JsonObject node, CancellationToken cancellationToken, WriteOptions? options = null)
    {
        options ??= new();
        var key = ObjectKey.Of(node);
        var request = new ApiRequest(
            HttpMethod.Put, await PathAsync(key, options.Subresource, cancellationToken) + WriteQuery(options), $"replace {key}")
        {
            Body = Bytes(node),
        };
        return await WriteOnceAsync(request, key, node, cancellationToken);
    }

    /// <summary>Patches an object.</summary>
    /// <returns>The object as the API stored it.</returns>
    /// <exception cref="KubernetesApiException">It is not there, or the patch is refused.</exception>
    public async Task<JsonObject> PatchAsync(
        ObjectKey key, PatchType patchType, JsonNode patch, CancellationToken cancellationToken, WriteOptions? options = null)
    {
        options ??= new();
        var request = new ApiRequest(
            HttpMethod.Patch, await PathAsync(key, options.Subresource, cancellationToken) + WriteQuery(options), $"patch {key}")
        {
            Body = Bytes(patch),
            ContentType = patchType switch
            {
                PatchType.Merge => "application/merge-patch+json",
                PatchType.StrategicMerge => "application/strategic-merge-patch+json",
                _ => "application/json-patch+json",
            },

            // An insertion into a list would come twice.
            Repeatable = patchType != PatchType.Json,
        };
        return Read(request, await _transport.SendAsync(request, cancellationToken));
    }

    /// <summary>Applies an object: the API merges it into what is there and remembers which fields are whose.</summary>
    /// <exception cref="KubernetesApiException">Another manager owns a field (<see cref="KubernetesApiException.IsConflict"/>), or it is refused.</exception>
    public async Task<AppliedObject> ApplyAsync(JsonObject node, CancellationToken cancellationToken, ApplyOptions? options = null)
    {
        options ??= new();
        var key = ObjectKey.Of(node);
        var path = await PathAsync(key, options.Subresource, cancellationToken);
        var request = new ApiRequest(
            HttpMethod.Patch,
            path + WriteQuery(options, ("force", options.Force ? "true" : null), ("fieldValidation", "Strict")),
            $"apply {key}")
        {
            Body = Bytes(node),
            ContentType = "application/apply-patch+yaml",
        };
        var response = await _transport.SendAsync(request, cancellationToken);
        return new(Read(request, response), response.StatusCode == HttpStatusCode.Created);
    }

    /// <summary>Deletes an object.</summary>
    /// <returns>Whether it was there.</returns>
    /// <exception cref="KubernetesApiException">It is refused, or <see cref="DeleteOptions.Uid"/> names another object.</exception>
    public async Task<bool> DeleteAsync(ObjectKey key, CancellationToken cancellationToken, DeleteOptions? options = null)
    {
        options ??= new();
        var body = new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "DeleteOptions",
            ["propagationPolicy"] = options.Propagation.ToString(),
        };
        if (options.Uid is not null)
        {
            body["preconditions"] = new JsonObject { ["uid"] = options.Uid };
        }

        if (options.GracePeriod is { } grace)
        {
            body["gracePeriodSeconds"] = (long)grace.TotalSeconds;
        }

        if (options.DryRun)
        {
            body["dryRun"] = new JsonArray("All");
        }

        var request = new ApiRequest(HttpMethod.Delete, await PathAsync(key, null, cancellationToken), $"delete {key}") { Body = Bytes(body) };
        var response = await _transport.SendAsync(request, cancellationToken);
        if (response.StatusCode == HttpStatusCode.NotFound)
        {
            return response.MayHaveRunBefore;
        }

        Read(request, response);
        return true;
    }

    /// <summary>
    /// Reads a container's log line by line. A log that is followed is resumed after a cut connection, without a gap and without
    /// repeating a line.
    /// </summary>
    /// <param name="namespaceName">The pod's namespace.</param>
    /// <param name="pod">The pod's name.</param>
    /// <param name="options">Which part; null for all of it.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="KubernetesApiException">There is no such pod or container, or it has not started.</exception>
    public async IAsyncEnumerable<string> LogsAsync(
        string namespaceName, string pod, LogOptions? options, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        options ??= new();
        var path = $"api/v1/namespaces/{Uri.EscapeDataString(namespaceName)}/pods/{Uri.EscapeDataString(pod)}/log";
        var last = "";
        var cut = true;
        while (cut)
        {
            cut = false;
            var query = Query(
                ("container", options.Container),
                ("follow", options.Follow ? "true" : null),
                ("previous", options.Previous ? "true" : null),
                ("tailLines", last.Length == 0 ? options.TailLines?.ToString(CultureInfo.InvariantCulture) : null),
                ("timestamps", "true"),
                ("sinceTime", last.Length == 0 ? null : last));
            using var response = await _transport.OpenAsync(new(HttpMethod.Get, path + query, $"read the log of Pod/{pod}"), cancellationToken);
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (true)
            {
                string? line;
                try
                {
                    line = await reader.ReadLineAsync(cancellationToken);
                }
                catch (Exception e) when (e is IOException or HttpRequestException && options.Follow)
                {
                    Retries.Add("log cut");
                    cut = true;
                    break;
                }

                if (line is null)
                {
                    break;
                }

                // RFC 3339 in UTC with nanoseconds, so that later lines compare greater as text.
                var space = line.IndexOf(' ', StringComparison.Ordinal);
                var stamp = space > 0 && DateTimeOffset.TryParse(line.AsSpan(0, space), CultureInfo.InvariantCulture, out _) ? line[..space] : null;
                if (stamp is not null && string.CompareOrdinal(stamp, last) <= 0)
                {
                    continue;
                }

                last = stamp ?? last;
                yield return stamp is null ? line : line[(space + 1)..];
            }
        }
    }

    /// <summary>The API's time at its last answer; null where it does not tell it.</summary>
    internal DateTimeOffset? ServerTime => _transport.ServerTime;

    /// <summary>Reads any other address of the API, e.g. <c>version</c> or <c>readyz</c>.</summary>
    /// <exception cref="KubernetesApiException">The answer is no success.</exception>
    public async Task<string> ReadTextAsync(string path, CancellationToken cancellationToken)
    {
        var request = new ApiRequest(HttpMethod.Get, path.TrimStart('/'), $"read /{path.TrimStart('/')}") { Accept = "*/*" };
        var response = await _transport.SendAsync(request, cancellationToken);
        return response.IsSuccess
            ? System.Text.Encoding.UTF8.GetString(response.Body.Span)
            : throw KubernetesApiException.From(request.Purpose, response.StatusCode, response.Body.Span);
    }

    /// <summary>Sends JSON to any other address of the API, e.g. to a Service behind its proxy.</summary>
    /// <exception cref="KubernetesApiException">The answer is no success.</exception>
    internal async Task PostAsync(string path, JsonObject body, CancellationToken cancellationToken)
    {
        var request = new ApiRequest(HttpMethod.Post, path, $"send to /{path}") { Body = Bytes(body), Accept = "*/*" };
        var response = await _transport.SendAsync(request, cancellationToken);
        if (!response.IsSuccess)
        {
            throw KubernetesApiException.From(request.Purpose, response.StatusCode, response.Body.Span);
        }
    }

    /// <summary>Closes the connections.</summary>
    public void Dispose()
    {
        _discovery.Dispose();
        _connection?.Dispose();
    }

    /// <summary>
    /// Sends a write that fails when it is repeated (the object exists, or has a newer version). If an earlier attempt's answer was
    /// lost, that failure may be its success: then the object is read and taken if it says what was sent.
    /// </summary>
    private async Task<JsonObject> WriteOnceAsync(ApiRequest request, ObjectKey key, JsonObject sent, CancellationToken cancellationToken)
    {
        var response = await _transport.SendAsync(request, cancellationToken);
        if (response is { StatusCode: HttpStatusCode.Conflict, MayHaveRunBefore: true }
            && await GetAsync(key, cancellationToken) is { } live)
        {
            var wanted = sent.DeepClone().AsObject();
            (wanted["metadata"] as JsonObject)?.Remove("resourceVersion");
            (wanted["metadata"] as JsonObject)?.Remove("managedFields");
            if (live.Holds(wanted))
            {
                return live;
            }
        }

        return Read(request, response);
    }

    private async Task<string> PathAsync(ObjectKey key, string? subresource, CancellationToken cancellationToken)
    {
        var resource = await ResourceAsync(key.Type, cancellationToken);
        return resource.Path(key.Namespace ?? Namespace, key.Name, subresource);
    }

    private static IEnumerable<JsonObject> ItemsOf(JsonObject list, GroupVersionKind type)
    {
        if (list["items"] is not JsonArray array)
        {
            return [];
        }

        var items = array.OfType<JsonObject>().ToList();
        array.Clear();
        foreach (var item in items)
        {
            // The API leaves both out of a list's items.
            item["apiVersion"] ??= type.ApiVersion;
            item["kind"] ??= type.Kind;
        }

        return items;
    }

    private static JsonObject Read(ApiRequest request, ApiResponse response)
    {
        if (!response.IsSuccess)
        {
            throw KubernetesApiException.From(request.Purpose, response.StatusCode, response.Body.Span);
        }

        return ObjectNodes.Parse(response.Body.Span);
    }

    private static byte[] Bytes(JsonNode node) => JsonSerializer.SerializeToUtf8Bytes(node);

    private static string WriteQuery(WriteOptions options, params ReadOnlySpan<(string Name, string? Value)> more) => Query(
        [("fieldManager", options.FieldManager), ("dryRun", options.DryRun ? "All" : null), .. more]);

    private static string Query(params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var query = "";
        foreach (var (name, value) in parameters)
        {
            if (value is not null)
            {
                query += $"{(query.Length == 0 ? '?' : '&')}{name}={Uri.EscapeDataString(value)}";
            }
        }

        return query;
    }
}
