using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Cake.K3s.Tests.Edge.Hetzner;

/// <summary>
/// A stand-in for Hetzner's cloud API, which no test asks: it keeps servers, networks and actions as docs.hetzner.cloud publishes them, and
/// refuses a request whose address, token or body is not as published.
/// </summary>
internal sealed class HetznerStandIn : HttpMessageHandler
{
    public const string Token = "stand-in-token";

    private readonly Dictionary<long, int> _actions = [];
    private long _id = 100;

    /// <summary>The project's servers.</summary>
    public List<JsonObject> Servers { get; } = [];

    /// <summary>The project's networks.</summary>
    public List<JsonObject> Networks { get; } = [];

    /// <summary>What was asked, as <c>METHOD path</c>.</summary>
    public List<string> Requests { get; } = [];

    /// <summary>Answers that come before the real ones, one for each request; null for the real one.</summary>
    public Queue<Func<HttpResponseMessage>?> Faults { get; } = [];

    /// <summary>How often an action is looked at before it is done.</summary>
    public int Looks { get; set; } = 2;

    /// <summary>Whether actions end in an error.</summary>
    public bool ActionsFail { get; set; }

    /// <summary>Called when a server's device is there or gone.</summary>
    public Func<string, bool, Task> OnAttached { get; set; } = (_, _) => Task.CompletedTask;

    public void AddServer(string name, string address) => Servers.Add(new JsonObject
    {
        ["id"] = ++_id,
        ["name"] = name,
        ["status"] = "running",
        ["public_net"] = new JsonObject { ["ipv4"] = new JsonObject { ["ip"] = address } },
        ["private_net"] = new JsonArray(),
    });

    public static HttpResponseMessage Error(HttpStatusCode status, string code) => Json(status, new JsonObject
    {
        ["error"] = new JsonObject { ["code"] = code, ["message"] = $"stand-in: {code}", ["details"] = new JsonObject() },
    });

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var path = request.RequestUri!.PathAndQuery;
        Requests.Add($"{request.Method} {path}");
        if (Faults.TryDequeue(out var fault) && fault is not null)
        {
            return fault();
        }

        if (request.RequestUri.Host != "api.hetzner.cloud" || request.Headers.Authorization?.ToString() != $"Bearer {Token}")
        {
            return Error(HttpStatusCode.Unauthorized, "unauthorized");
        }

        var body = request.Content is null ? null : JsonNode.Parse(await request.Content.ReadAsStringAsync(cancellationToken))!.AsObject();
        var parts = request.RequestUri.AbsolutePath.Trim('/').Split('/');
        return (request.Method.Method, parts) switch
        {
            ("GET", ["v1", "servers"]) => Page(request.RequestUri),
            ("GET", ["v1", "networks"]) => Json(HttpStatusCode.OK, new JsonObject { ["networks"] = new JsonArray([.. Networks.Where(network => path.EndsWith($"?name={network["name"]}", StringComparison.Ordinal)).Select(network => network.DeepClone())]) }),
            ("POST", ["v1", "networks"]) => MakeNetwork(body!),
            ("DELETE", ["v1", "networks", var id]) => DeleteNetwork(long.Parse(id)),
            ("POST", ["v1", "servers", var id, "actions", var action]) => await ActAsync(long.Parse(id), action, body!),
            ("GET", ["v1", "actions", var id]) => Action(long.Parse(id), "attach_to_network"),
            _ => Error(HttpStatusCode.NotFound, "not_found"),
        };
    }

    // Two a page, so that there are more.
    private HttpResponseMessage Page(Uri address)
    {
        var page = int.Parse(address.Query.TrimStart('?').Split('&').First(part => part.StartsWith("page=", StringComparison.Ordinal))[5..]);
        return Json(HttpStatusCode.OK, new JsonObject
        {
            ["servers"] = new JsonArray([.. Servers.Skip((page - 1) * 2).Take(2).Select(server => server.DeepClone())]),
            ["meta"] = new JsonObject { ["pagination"] = new JsonObject { ["page"] = page, ["next_page"] = page * 2 < Servers.Count ? page + 1 : null } },
        });
    }

    private HttpResponseMessage MakeNetwork(JsonObject body)
    {
        if (!body.Select(member => member.Key).Order().SequenceEqual(["ip_range", "labels", "name", "subnets"])
            || body["subnets"]!.AsArray().Any(subnet => !subnet!.AsObject().Select(member => member.Key).Order().SequenceEqual(["ip_range", "network_zone", "type"]) || (string)subnet["type"]! != "cloud"))
        {
            return Error(HttpStatusCode.UnprocessableEntity, "invalid_input");
        }

        if (Networks.Exists(network => (string)network["name"]! == (string)body["name"]!))
        {
            return Error(HttpStatusCode.Conflict, "uniqueness_error");
        }

        body["id"] = ++_id;
        body["servers"] = new JsonArray();
        Networks.Add(body);
        return Json(HttpStatusCode.Created, new JsonObject { ["network"] = body.DeepClone() });
    }

    private HttpResponseMessage DeleteNetwork(long id)
    {
        if (Networks.Find(network => (long)network["id"]! == id) is not { } network)
        {
            return Error(HttpStatusCode.NotFound, "not_found");
        }

        Networks.Remove(network);
        return new HttpResponseMessage(HttpStatusCode.NoContent) { Content = new StringContent("") };
    }

    private async Task<HttpResponseMessage> ActAsync(long id, string action, JsonObject body)
    {
        var server = Servers.Find(candidate => (long)candidate["id"]! == id);
        var network = Networks.Find(candidate => body["network"] is { } wanted && (long)candidate["id"]! == (long)wanted);
        if (server is null || network is null || body.Count != 1)
        {
            return Error(HttpStatusCode.UnprocessableEntity, "invalid_input");
        }

        var attached = server["private_net"]!.AsArray();
        var there = attached.FirstOrDefault(net => (long)net!["network"]! == (long)network["id"]!);
        var attach = action == "attach_to_network";
        if (attach == (there is not null))
        {
            return Error(HttpStatusCode.UnprocessableEntity, attach ? "server_already_attached" : "server_not_attached");
        }

        if (!ActionsFail)
        {
            if (attach)
            {
                attached.Add(new JsonObject { ["network"] = (long)network["id"]!, ["ip"] = $"10.0.0.{attached.Count + 2}", ["alias_ips"] = new JsonArray(), ["mac_address"] = "86:00:ff:2a:7d:e1" });
                network["servers"]!.AsArray().Add(id);
            }
            else
            {
                attached.Remove(there);
                network["servers"]!.AsArray().Remove(network["servers"]!.AsArray().First(other => (long)other! == id));
            }

            await OnAttached((string)server["name"]!, attach);
        }

        _actions[++_id] = 0;
        return Action(_id, action, HttpStatusCode.Created);
    }

    private HttpResponseMessage Action(long id, string command, HttpStatusCode status = HttpStatusCode.OK)
    {
        var done = _actions[id]++ >= Looks;
        return Json(status, new JsonObject
        {
            ["action"] = new JsonObject
            {
                ["id"] = id,
                ["command"] = command,
                ["status"] = !done ? "running" : ActionsFail ? "error" : "success",
                ["progress"] = done ? 100 : 50,
                ["error"] = done && ActionsFail ? new JsonObject { ["code"] = "action_failed", ["message"] = "stand-in: Action failed" } : null,
            },
        });
    }

    private static HttpResponseMessage Json(HttpStatusCode status, JsonObject body) =>
        new(status) { Content = new StringContent(body.ToJsonString(), Encoding.UTF8, "application/json") };
}
