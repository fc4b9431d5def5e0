using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace Cake.K3s.Tests.Edge.BetterStack;

/// <summary>
/// Stands in for Better Stack's Uptime API, version 2: it takes the requests that are sent here as the published API describes them, and
/// refuses every other one. It is no Better Stack: nothing is looked at and nobody is told.
/// </summary>
internal sealed class BetterStackStandIn : HttpMessageHandler
{
    public const string Token = "better-stack-token-0123456789";
    public const string Address = "https://betterstack.test";
    private const int PageSize = 2;

    private static readonly string[] MonitorMembers =
    [
        "pronounceable_name", "url", "monitor_type", "check_frequency", "request_timeout", "verify_ssl", "ssl_expiration", "email", "required_keyword", "expected_status_codes", "policy_id",
    ];

    private static readonly string[] HeartbeatMembers = ["name", "period", "grace", "email", "policy_id"];
    private int _ids;

    /// <summary>Requests that Better Stack would not take.</summary>
    public List<string> Wrong { get; } = [];

    public List<JsonObject> Monitors { get; } = [];

    public List<JsonObject> Heartbeats { get; } = [];

    /// <summary>The status of what is made.</summary>
    public string Status { get; set; } = "up";

    public string State() => string.Join('\n', Monitors.Concat(Heartbeats).Select(item => item.ToJsonString()));

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        var uri = request.RequestUri!;
        if (request.Headers.Authorization is not { Scheme: "Bearer", Parameter: Token })
        {
            return Answer(HttpStatusCode.Unauthorized, new JsonObject { ["errors"] = "Invalid Team API token. How to find your Team API token: https://betterstack.com/docs/uptime/api/" });
        }

        var path = uri.AbsolutePath.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var items = path is ["api", "v2", var kind, ..] ? kind switch { "monitors" => Monitors, "heartbeats" => Heartbeats, _ => null } : null;
        var members = items == Monitors ? MonitorMembers : HeartbeatMembers;
        var attributes = body is null ? null : JsonNode.Parse(body) as JsonObject;
        switch (request.Method.Method, path.Length)
        {
            case ("GET", 3) when items is not null:
                var page = int.Parse(uri.Query["?page=".Length..], CultureInfo.InvariantCulture);
                var next = page * PageSize < items.Count ? $"{Address}{uri.AbsolutePath}?page={page + 1}" : null;
                return Answer(HttpStatusCode.OK, new JsonObject
                {
                    ["data"] = new JsonArray([.. items.Skip((page - 1) * PageSize).Take(PageSize).Select(item => item.DeepClone())]),
                    ["pagination"] = new JsonObject { ["next"] = next },
                });
            case ("POST", 3) when items is not null && IsRight(attributes, members, items == Monitors):
                var id = (++_ids).ToString(CultureInfo.InvariantCulture);
                attributes!["status"] = Status;
                if (items == Heartbeats)
                {
                    attributes["url"] = $"{Address}/api/v1/heartbeat/secret{id}";
                }

                items.Add(new() { ["id"] = id, ["type"] = items == Monitors ? "monitor" : "heartbeat", ["attributes"] = attributes });
                return Answer(HttpStatusCode.Created, new JsonObject { ["data"] = items[^1].DeepClone() });
            case ("PATCH", 4) when items?.Find(item => item["id"]!.ToString() == path[3]) is { } known && IsRight(attributes, members, items == Monitors):
                foreach (var (name, value) in attributes!)
                {
                    known["attributes"]![name] = value?.DeepClone();
                }

                return Answer(HttpStatusCode.OK, new JsonObject { ["data"] = known.DeepClone() });
            case ("DELETE", 4) when items is not null:
                return new(items.RemoveAll(item => item["id"]!.ToString() == path[3]) > 0 ? HttpStatusCode.NoContent : HttpStatusCode.NotFound);
            default:
                Wrong.Add($"{request.Method} {uri.PathAndQuery} {body}");
                return Answer(HttpStatusCode.UnprocessableEntity, new JsonObject { ["errors"] = new JsonObject { ["base"] = new JsonArray("is invalid") } });
        }
    }

    private static bool IsRight(JsonObject? attributes, string[] members, bool isMonitor) =>
        attributes is not null
        && attributes.All(member => members.Contains(member.Key))
        && (isMonitor
            ? attributes["monitor_type"]!.ToString() is "expected_status_code" or "keyword"
                && (attributes["monitor_type"]!.ToString() == "keyword") == attributes.ContainsKey("required_keyword")
                && attributes["check_frequency"]!.GetValue<int>() is 30 or 45 or 60 or 120 or 180 or 300 or 600 or 900 or 1800
            : attributes["period"]!.GetValue<int>() >= 30 && attributes["grace"]!.GetValue<int>() >= 0);

    private static HttpResponseMessage Answer(HttpStatusCode status, JsonObject body) => new(status) { Content = new StringContent(body.ToJsonString()) };
}
