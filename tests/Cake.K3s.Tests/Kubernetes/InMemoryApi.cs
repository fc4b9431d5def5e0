using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Tests.Edge;

namespace Cake.K3s.Tests.Kubernetes;

/// <summary>
/// Stores objects as an API server does, as far as the library's own records need it: create, read, replace with a version, merge
/// patch, apply, delete, list by label, watch. A test plays the controllers by writing into it.
/// </summary>
internal sealed class InMemoryApi
{
    private const string NamespacePath = "/api/v1/namespaces/shop";

    private static readonly Dictionary<string, (string Version, string Kind)> Kinds = new()
    {
        ["secrets"] = ("v1", "Secret"),
        ["configmaps"] = ("v1", "ConfigMap"),
        ["serviceaccounts"] = ("v1", "ServiceAccount"),
        ["pods"] = ("v1", "Pod"),
        ["events"] = ("v1", "Event"),
        ["namespaces"] = ("v1", "Namespace"),
        ["nodes"] = ("v1", "Node"),
        ["deployments"] = ("apps/v1", "Deployment"),
        ["replicasets"] = ("apps/v1", "ReplicaSet"),
        ["statefulsets"] = ("apps/v1", "StatefulSet"),
        ["daemonsets"] = ("apps/v1", "DaemonSet"),
        ["jobs"] = ("batch/v1", "Job"),
        ["leases"] = ("coordination.k8s.io/v1", "Lease"),
    };

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, JsonObject> _objects = new(StringComparer.Ordinal);
    private readonly List<(string Prefix, Channel<string> Lines)> _watches = [];
    private int _version;

    /// <summary>Requests that change something, as <c>POST secrets/x</c>.</summary>
    public List<string> Writes { get; } = [];

    /// <summary>Called before each write; may throw to play a fault.</summary>
    public Action<string> BeforeWrite { get; set; } = _ => { };

    /// <summary>Called after an object was written, as a controller is.</summary>
    public Action<JsonObject> Written { get; set; } = _ => { };

    private readonly TaskCompletionSource _watched = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when somebody watches.</summary>
    public Task WatchedAsync() => _watched.Task.WaitAsync(TimeSpan.FromSeconds(10));

    /// <summary>What a container has logged, by pod.</summary>
    public Dictionary<string, string> Logs { get; } = [];

    /// <summary>Connects a client.</summary>
    /// <param name="time">Its clock.</param>
    /// <param name="killAtWrite">Its process is killed as it sends this write, counted from 1; null for never.</param>
    public ClusterApi Open(TimeProvider? time = null, int? killAtWrite = null) => new(
        new Connection(this, killAtWrite), new Uri("http://memory/"), "shop", time, new RetryOptions { Repetitions = 1, FirstDelay = TimeSpan.FromTicks(1) });

    /// <summary>Connects the client of a process that a fault meets.</summary>
    public ClusterApi Open(Faults faults, TimeProvider? time = null) => new(
        faults.Before(new Connection(this, null)), new Uri("http://memory/"), "shop", time, new RetryOptions { Repetitions = 1, FirstDelay = TimeSpan.FromTicks(1) });

    public IReadOnlyList<JsonObject> All(string plural)
    {
        lock (_lock)
        {
            return [.. _objects.Where(pair => pair.Key.Contains($"/{plural}/")).Select(pair => pair.Value)];
        }
    }

    public JsonObject? Find(string plural, string name) => All(plural).FirstOrDefault(node => node.ObjectName() == name);

    /// <summary>Stores an object as a controller would.</summary>
    public JsonObject Put(JsonObject node)
    {
        lock (_lock)
        {
            var plural = Kinds.First(kind => kind.Value.Kind == node.Text("kind")).Key;
            var path = $"{Collection(plural)}/{node.ObjectName()}";
            Store(path, node.DeepClone().AsObject(), node.Uid());
            return _objects[path];
        }
    }

    /// <summary>Changes an object as a controller would.</summary>
    public void Change(string plural, string name, Action<JsonObject> change)
    {
        lock (_lock)
        {
            var (path, node) = _objects.First(pair => pair.Key == $"{Collection(plural)}/{name}");
            var copy = node.DeepClone().AsObject();
            change(copy);
            Store(path, copy, copy.Uid());
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken)) as JsonObject;
        var path = request.RequestUri!.AbsolutePath;
        var query = System.Web.HttpUtility.ParseQueryString(request.RequestUri.Query);
        if (Discover(path) is { } document)
        {
            return Answer(HttpStatusCode.OK, document);
        }

        if (query["dryRun"] == "All")
        {
            // What would be stored: what was sent, over what is there.
            return Answer(HttpStatusCode.OK, Foretell(path, body!));
        }

        var write = $"{request.Method} {path[(path.IndexOf("/shop/", StringComparison.Ordinal) + 6)..]}";
        if (request.Method != HttpMethod.Get)
        {
            BeforeWrite(write);
        }

        JsonObject? written;
        HttpResponseMessage response;
        lock (_lock)
        {
            if (path.EndsWith("/log", StringComparison.Ordinal))
            {
                return new(HttpStatusCode.OK) { Content = new StringContent(Logs.GetValueOrDefault(path.Split('/')[^2], "")) };
            }

            if (request.Method != HttpMethod.Get)
            {
                Writes.Add(write);
            }

            (response, written) = Handle(request.Method.Method, path, query["labelSelector"], query["watch"] == "true", body, cancellationToken);
        }

        if (written is not null)
        {
            Written(written);
        }

        return response;
    }

    private JsonObject Foretell(string path, JsonObject body)
    {
        lock (_lock)
        {
            var foretold = _objects.GetValueOrDefault(path)?.DeepClone().AsObject() ?? [];
            Merge(foretold, body);
            return foretold;
        }
    }

    private (HttpResponseMessage Response, JsonObject? Written) Handle(
        string method, string path, string? selector, bool watch, JsonObject? body, CancellationToken cancellationToken)
    {
        if (path == NamespacePath)
        {
            return (Answer(HttpStatusCode.OK, new() { ["apiVersion"] = "v1", ["kind"] = "Namespace", ["metadata"] = new JsonObject { ["name"] = "shop" } }), null);
        }

        var isCollection = Kinds.ContainsKey(path.Split('/')[^1]);
        switch (method)
        {
            case "GET" when isCollection && watch:
                var lines = Channel.CreateUnbounded<string>();
                _watches.Add((path, lines));
                _watched.TrySetResult();
                return (new(HttpStatusCode.OK) { Content = new StreamContent(new LineStream(lines.Reader, cancellationToken)) }, null);
            case "GET" when isCollection:
                var items = _objects.Where(pair => pair.Key.StartsWith(path + "/", StringComparison.Ordinal) && Matches(pair.Value, selector))
                    .Select(pair => pair.Value.DeepClone()).ToArray();
                return (Answer(HttpStatusCode.OK, new()
                {
                    ["metadata"] = new JsonObject { ["resourceVersion"] = _version.ToString(CultureInfo.InvariantCulture) },
                    ["items"] = new JsonArray(items),
                }), null);
            case "POST":
                var created = $"{path}/{body.ObjectName()}";
                return _objects.ContainsKey(created)
                    ? (Error(409, "AlreadyExists", $"{created} already exists"), null)
                    : Stored(created, body!, null);
        }

        if (!_objects.TryGetValue(path, out var live) && !(method == "PATCH" && body?.ContainsKey("kind") == true))
        {
            return (Error(404, "NotFound", $"{path} not found"), null);
        }

        switch (method)
        {
            case "GET":
                return (Answer(HttpStatusCode.OK, live!), null);
            case "PUT":
                return body.ResourceVersion() is { } version && version != live.ResourceVersion()
                    ? (Error(409, "Conflict", "the object has been modified"), null)
                    : Stored(path, body!, live.Uid());
            case "PATCH":
                var merged = live?.DeepClone().AsObject() ?? [];
                Merge(merged, body!);
                if (body!.ContainsKey("kind"))
                {
                    merged.Child("metadata")["managedFields"] = new JsonArray(Ownership(body));
                }

                return Stored(path, merged, live.Uid());
            default:
                _objects.Remove(path);
                Publish(path, "DELETED", live!);
                foreach (var owned in _objects.Where(pair => pair.Value.Objects("metadata", "ownerReferences").Any(owner => owner.Text("uid") == live.Uid())).ToList())
                {
                    _objects.Remove(owned.Key);
                    Publish(owned.Key, "DELETED", owned.Value);
                }

                return (Answer(HttpStatusCode.OK, live!), null);
        }
    }

    private (HttpResponseMessage Response, JsonObject? Written) Stored(string path, JsonObject node, string? uid)
    {
        Store(path, node, uid);
        return (Answer(HttpStatusCode.OK, node), node.DeepClone().AsObject());
    }

    private void Store(string path, JsonObject node, string? uid)
    {
        var metadata = node.Child("metadata");
        metadata["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
        metadata["uid"] = uid ?? $"uid-{_version}";
        metadata["namespace"] = "shop";
        var isNew = !_objects.ContainsKey(path);
        _objects[path] = node;
        Publish(path, isNew ? "ADDED" : "MODIFIED", node);
    }

    private void Publish(string path, string type, JsonObject node)
    {
        var line = new JsonObject { ["type"] = type, ["object"] = node.DeepClone() }.ToJsonString();
        foreach (var (_, lines) in _watches.Where(watch => path.StartsWith(watch.Prefix + "/", StringComparison.Ordinal)))
        {
            lines.Writer.TryWrite(line);
        }
    }

    /// <summary>What an apply owns: as a whole what it sent.</summary>
    private static JsonObject Ownership(JsonObject applied)
    {
        var fields = new JsonObject();
        foreach (var (name, value) in applied)
        {
            fields["f:" + name] = name == "metadata"
                ? new JsonObject(value!.AsObject().Select(part => KeyValuePair.Create("f:" + part.Key, (JsonNode?)new JsonObject())))
                : new JsonObject();
        }

        return new() { ["manager"] = "cake-k3s", ["operation"] = "Apply", ["fieldsV1"] = fields };
    }

    private static void Merge(JsonObject into, JsonObject from)
    {
        foreach (var (name, value) in from)
        {
            if (value is JsonObject child && into[name] is JsonObject existing)
            {
                Merge(existing, child);
            }
            else if (value is null)
            {
                into.Remove(name);
            }
            else
            {
                into[name] = value.DeepClone();
            }
        }
    }

    private static bool Matches(JsonObject node, string? selector) =>
        selector is null || selector.Split(',').All(term => term.Split("!=") switch
        {
            [var name, var value] => node.Label(name) != value,
            _ => term.Split('=') is [var name, var value] && node.Label(name) == value,
        });

    private static string Collection(string plural) => Kinds[plural].Version switch
    {
        "v1" => $"/api/v1/namespaces/shop/{plural}",
        var version => $"/apis/{version}/namespaces/shop/{plural}",
    };

    private static JsonObject? Discover(string path) => path switch
    {
        "/api" => new() { ["versions"] = new JsonArray("v1") },
        "/apis" => new()
        {
            ["groups"] = new JsonArray([.. Kinds.Values.Select(kind => kind.Version).Distinct().Where(version => version != "v1").Select(version =>
                new JsonObject { ["name"] = version.Split('/')[0], ["versions"] = new JsonArray(new JsonObject { ["groupVersion"] = version, ["version"] = "v1" }) })]),
        },
        _ when Kinds.Values.Any(kind => path == (kind.Version == "v1" ? "/api/v1" : $"/apis/{kind.Version}")) => new()
        {
            ["groupVersion"] = path.Replace("/apis/", "", StringComparison.Ordinal).Replace("/api/", "", StringComparison.Ordinal),
            ["resources"] = new JsonArray([.. Kinds.Where(kind => path.EndsWith("/" + kind.Value.Version, StringComparison.Ordinal)).Select(kind =>
                new JsonObject { ["name"] = kind.Key, ["kind"] = kind.Value.Kind, ["namespaced"] = kind.Key is not ("namespaces" or "nodes"), ["verbs"] = new JsonArray("get", "list") })]),
        },
        _ => null,
    };

    private static HttpResponseMessage Answer(HttpStatusCode status, JsonObject node) =>
        new(status) { Content = new StringContent(node.ToJsonString(), Encoding.UTF8, "application/json") };

    private static HttpResponseMessage Error(int code, string reason, string message) =>
        Answer((HttpStatusCode)code, new() { ["kind"] = "Status", ["code"] = code, ["reason"] = reason, ["message"] = message });

    /// <summary>One client's connection: once its process is killed, nothing more comes from it.</summary>
    private sealed class Connection(InMemoryApi server, int? killAtWrite) : HttpMessageHandler
    {
        private int _writes;
        private bool _isDead;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var isWrite = request.Method != HttpMethod.Get && !request.RequestUri!.Query.Contains("dryRun", StringComparison.Ordinal);
            _isDead |= isWrite && Interlocked.Increment(ref _writes) == killAtWrite;
            return _isDead ? throw new ProcessKilledException() : server.SendAsync(request, cancellationToken);
        }
    }

    /// <summary>Gives lines as they come, and ends when the reader is cancelled.</summary>
    private sealed class LineStream(ChannelReader<string> lines, CancellationToken ending) : Stream
    {
        private ReadOnlyMemory<byte> _rest;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, ending);
            if (_rest.IsEmpty)
            {
                _rest = Encoding.UTF8.GetBytes(await lines.ReadAsync(either.Token) + "\n");
            }

            var count = Math.Min(buffer.Length, _rest.Length);
            _rest[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override void Flush()
        {
        }
    }
}

/// <summary>The process of a client was killed.</summary>
internal sealed class ProcessKilledException : Exception;
