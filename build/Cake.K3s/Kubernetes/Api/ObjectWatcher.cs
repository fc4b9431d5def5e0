using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>
/// Watches objects without a gap: lists them, goes on from there, resumes after a cut connection, and lists again when the API
/// has forgotten the point to resume from; the difference is then reported as if it had been watched.
/// </summary>
internal sealed class ObjectWatcher(ApiTransport transport, TimeProvider time)
{
    // The server ends a watch after this long; one that stays silent for longer is dead. Bounds how long a lost connection goes unnoticed.
    private static readonly TimeSpan LongestWatch = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(5);

    public async IAsyncEnumerable<WatchEvent> WatchAsync(
        GroupVersionKind type,
        string path,
        Func<CancellationToken, Task<ObjectList>> list,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var known = new Dictionary<(string?, string?), JsonObject>();
        var synced = false;
        while (true)
        {
            var snapshot = await list(cancellationToken);
            foreach (var change in Differences(known, snapshot.Items))
            {
                yield return change;
            }

            if (!synced)
            {
                synced = true;
                yield return new(WatchEventType.Synced, null);
            }

            await foreach (var change in FollowAsync(type, path, snapshot.ResourceVersion, cancellationToken))
            {
                Remember(known, change);
                yield return change;
            }
        }
    }

    /// <summary>Reports changes from a point on; ends when the API has forgotten that point.</summary>
    private async IAsyncEnumerable<WatchEvent> FollowAsync(
        GroupVersionKind type,
        string path,
        string resourceVersion,
        [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var delay = TimeSpan.Zero;
        while (true)
        {
            await Task.Delay(delay, time, cancellationToken);
            delay = delay == TimeSpan.Zero ? TimeSpan.FromMilliseconds(50) : TimeSpan.FromTicks(Math.Min(LongestDelay.Ticks, delay.Ticks * 2));
            using var response = await OpenAsync(type, path, resourceVersion, cancellationToken);
            if (response is null)
            {
                yield break;
            }

            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(cancellationToken));
            while (await ReadAsync(reader, cancellationToken) is { } line)
            {
                var change = line.Text("type");
                var node = line["object"] as JsonObject;
                if (change == "ERROR" || node is null)
                {
                    if (node.Number("code") == 410)
                    {
                        yield break;
                    }

                    transport.Retries.Add("watch ended");
                    break;
                }

                delay = TimeSpan.Zero;
                resourceVersion = node.ResourceVersion() ?? resourceVersion;
                if (change != "BOOKMARK")
                {
                    line.Remove("object");
                    yield return new(Enum.Parse<WatchEventType>(change!, ignoreCase: true), node);
                }
            }
        }
    }

    /// <summary>Opens a watch; null if the API has forgotten the point to resume from.</summary>
    private async Task<HttpResponseMessage?> OpenAsync(
        GroupVersionKind type, string path, string resourceVersion, CancellationToken cancellationToken)
    {
        var query = $"watch=true&allowWatchBookmarks=true&timeoutSeconds={LongestWatch.TotalSeconds:0}"
            + $"&resourceVersion={Uri.EscapeDataString(resourceVersion)}";
        var request = new ApiRequest(HttpMethod.Get, path + (path.Contains('?') ? '&' : '?') + query, $"watch {type.Kind}");
        try
        {
            return await transport.OpenAsync(request, cancellationToken);
        }
        catch (KubernetesApiException e) when (e.StatusCode == System.Net.HttpStatusCode.Gone)
        {
            return null;
        }
    }

    /// <summary>The next line; null when the connection ended, was cut or died.</summary>
    private async Task<JsonObject?> ReadAsync(StreamReader reader, CancellationToken cancellationToken)
    {
        using var silence = new CancellationTokenSource(LongestWatch + Grace, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, silence.Token);
        try
        {
            return await reader.ReadLineAsync(either.Token) is { Length: > 0 } line ? JsonNode.Parse(line) as JsonObject : null;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested
            && e is IOException or HttpRequestException or OperationCanceledException or JsonException)
        {
            // A line that was cut in its middle is no JSON.
            transport.Retries.Add("watch cut");
            return null;
        }
    }

    internal static List<WatchEvent> Differences(Dictionary<(string?, string?), JsonObject> known, IReadOnlyList<JsonObject> now)
    {
        var changes = new List<WatchEvent>();
        var gone = new HashSet<(string?, string?)>(known.Keys);
        foreach (var node in now)
        {
            var key = (node.NamespaceName(), node.ObjectName());
            gone.Remove(key);
            if (!known.TryGetValue(key, out var before))
            {
                changes.Add(new(WatchEventType.Added, node));
            }
            else if (before.Uid() != node.Uid())
            {
                changes.Add(new(WatchEventType.Deleted, before));
                changes.Add(new(WatchEventType.Added, node));
            }
            else if (before.ResourceVersion() != node.ResourceVersion())
            {
                changes.Add(new(WatchEventType.Modified, node));
            }
        }

        changes.InsertRange(0, gone.Select(key => new WatchEvent(WatchEventType.Deleted, known[key])));
        changes.ForEach(change => Remember(known, change));
        return changes;
    }

    private static void Remember(Dictionary<(string?, string?), JsonObject> known, WatchEvent change)
    {
        var key = (change.Object.NamespaceName(), change.Object.ObjectName());
        if (change.Type == WatchEventType.Deleted)
        {
            known.Remove(key);
        }
        else
        {
            known[key] = change.Object!;
        }
    }
}
