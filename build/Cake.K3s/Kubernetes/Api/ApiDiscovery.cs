using System.Collections.Immutable;
using System.Net;
using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>
/// Finds out which types the API serves: aggregated discovery (two requests), or one request a group and version where the
/// server does not know that. Read on first use, and again when a type is asked for that was not there before.
/// </summary>
internal sealed class ApiDiscovery(ApiTransport transport) : IDisposable
{
    private const string Aggregated =
        "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"
        + "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

    private readonly SemaphoreSlim _reading = new(1);
    private volatile Snapshot? _snapshot;

    /// <summary>Every type, the preferred version of a kind first.</summary>
    public async Task<ImmutableArray<ApiResource>> AllAsync(CancellationToken cancellationToken) =>
        (await SnapshotAsync(null, cancellationToken)).All;

    /// <summary>A type, or null if the API does not serve it.</summary>
    public async Task<ApiResource?> FindAsync(GroupVersionKind type, CancellationToken cancellationToken)
    {
        var snapshot = await SnapshotAsync(null, cancellationToken);
        if (snapshot.ByType.TryGetValue(type, out var resource))
        {
            return resource;
        }

        // A CRD may have been made since.
        snapshot = await SnapshotAsync(snapshot, cancellationToken);
        return snapshot.ByType.GetValueOrDefault(type);
    }

    public void Dispose() => _reading.Dispose();

    private async Task<Snapshot> SnapshotAsync(Snapshot? outdated, CancellationToken cancellationToken)
    {
        if (_snapshot is { } current && current != outdated)
        {
            return current;
        }

        await _reading.WaitAsync(cancellationToken);
        try
        {
            // Whoever waited finds what the first one read.
            if (_snapshot is { } read && read != outdated)
            {
                return read;
            }

            var parts = await Task.WhenAll(
                ReadAsync("api", cancellationToken),
                ReadAsync("apis", cancellationToken));
            return _snapshot = new Snapshot([.. parts.SelectMany(part => part)]);
        }
        finally
        {
            _reading.Release();
        }
    }

    private async Task<IEnumerable<ApiResource>> ReadAsync(string root, CancellationToken cancellationToken)
    {
        var answer = await GetAsync(root, Aggregated, cancellationToken);
        if (answer.Text("kind") == "APIGroupDiscoveryList")
        {
            return ParseAggregated(answer!);
        }

        var versions = root == "api"
            ? answer!["versions"]!.AsArray().Select(version => $"api/{version}")
            : answer.Objects("groups").SelectMany(PreferredFirst).Select(version => $"apis/{version}");
        var lists = await Task.WhenAll(versions.Select(version => GetAsync(version, "application/json", cancellationToken)));
        return lists.SelectMany(ParseList);
    }

    private async Task<JsonObject?> GetAsync(string path, string accept, CancellationToken cancellationToken)
    {
        var request = new ApiRequest(HttpMethod.Get, path, "read the API's types") { Accept = accept };
        var response = await transport.SendAsync(request, cancellationToken);

        // An extension API whose server is down must not stop the rest.
        return response switch
        {
            { IsSuccess: true } => JsonNode.Parse(response.Body.Span) as JsonObject,
            { StatusCode: HttpStatusCode.ServiceUnavailable or HttpStatusCode.NotFound } when path.Count(c => c == '/') == 2 => null,
            _ => throw KubernetesApiException.From(request.Purpose, response.StatusCode, response.Body.Span),
        };
    }

    private static IEnumerable<string> PreferredFirst(JsonObject group)
    {
        var preferred = group.Text("preferredVersion", "groupVersion");
        return group.Objects("versions")
            .Select(version => version.Text("groupVersion")!)
            .OrderBy(version => version == preferred ? 0 : 1);
    }

    internal static IEnumerable<ApiResource> ParseAggregated(JsonObject list) =>
        from item in list.Objects("items")
        let groupName = item.ObjectName() ?? ""
        from version in item.Objects("versions")
        let versionName = version.Text("version")!
        from resource in version.Objects("resources")
        select new ApiResource(
            new(groupName, versionName, resource.Text("responseKind", "kind") ?? ""),
            resource.Text("resource")!,
            resource.Text("scope") == "Namespaced",
            Strings(resource["verbs"]),
            [.. resource.Objects("subresources").Select(subresource => subresource.Text("subresource")!)]);

    internal static IEnumerable<ApiResource> ParseList(JsonObject? list)
    {
        var groupVersion = list.Text("groupVersion") ?? "";
        var resources = list.Objects("resources").ToLookup(resource => resource.Text("name")!.Contains('/'));
        var subresources = resources[true].Select(resource => resource.Text("name")!.Split('/', 2)).ToLookup(name => name[0], name => name[1]);
        return resources[false].Select(resource => new ApiResource(
            GroupVersionKind.Of(groupVersion, resource.Text("kind")!),
            resource.Text("name")!,
            resource.Flag("namespaced") == true,
            Strings(resource["verbs"]),
            [.. subresources[resource.Text("name")!]]));
    }

    private static ImmutableArray<string> Strings(JsonNode? array) =>
        array is JsonArray items ? [.. items.Select(item => item!.GetValue<string>())] : [];

    private sealed class Snapshot(ImmutableArray<ApiResource> all)
    {
        public ImmutableArray<ApiResource> All { get; } = all;

        public Dictionary<GroupVersionKind, ApiResource> ByType { get; } =
            all.GroupBy(resource => resource.Type).ToDictionary(group => group.Key, group => group.First());
    }
}
