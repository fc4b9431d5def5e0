using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Cake.K3s.Tests.Edge.Cloudflare;

/// <summary>
/// Stands in for Cloudflare's API, version 4: it takes the requests that are sent here as the published API describes them - method,
/// path, token, the members of the body - and refuses every other one. It keeps what is written and issues real certificates. It is no
/// Cloudflare: no request goes through it, no rule is carried out, no pool is measured.
/// </summary>
internal sealed class CloudflareStandIn : HttpMessageHandler
{
    public const string Token = "cloudflare-token-0123456789abcdef";
    public const string Address = "https://cloudflare.test/client/v4";
    public const string ZoneId = "023e105f4ecef8ad9ca31a8372d0c353";
    public const string AccountId = "372e67954025e0ba6aaa6d586b9e0b59";
    public const string ZoneName = "example.com";

    private static readonly int[] Validities = [7, 30, 90, 365, 730, 1095, 5475];
    private readonly Lock _lock = new();
    private readonly TimeProvider _time;
    private readonly X509Certificate2 _authority;
    private int _ids;

    public CloudflareStandIn(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        var request = new CertificateRequest("CN=Origin CA of the stand-in", ECDsa.Create(ECCurve.NamedCurves.nistP256), HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(certificateAuthority: true, false, 0, critical: true));
        _authority = request.CreateSelfSigned(_time.GetUtcNow().AddYears(-1), _time.GetUtcNow().AddYears(20));
    }

    /// <summary>Requests that Cloudflare would not take.</summary>
    public List<string> Wrong { get; } = [];

    /// <summary>Requests that change something, as <c>PATCH /zones/ID/settings/ssl</c>.</summary>
    public List<string> Writes { get; } = [];

    /// <summary>Answers these instead, first come first served.</summary>
    public Queue<HttpResponseMessage> Answers { get; } = [];

    public Dictionary<string, string> Settings { get; } = new() { ["ssl"] = "full", ["ssl_automatic_mode"] = "auto" };

    public List<JsonObject> DnsRecords { get; } = [];

    public List<JsonObject> OriginCertificates { get; } = [];

    public List<JsonObject> ClientCertificates { get; } = [];

    public bool OriginPulls { get; set; }

    /// <summary>How often a client certificate is looked at before it is deployed.</summary>
    public int LooksUntilDeployed { get; set; } = 1;

    /// <summary>Null until the first rule is made.</summary>
    public List<JsonObject>? CacheRules { get; set; }

    public List<JsonObject> Purges { get; } = [];

    public List<JsonObject> Monitors { get; } = [];

    public List<JsonObject> Pools { get; } = [];

    public List<JsonObject> LoadBalancers { get; } = [];

    /// <summary>All that a person sees in the dashboard.</summary>
    public string State() => string.Join('\n', Settings.Select(setting => $"{setting.Key}={setting.Value}")
        .Concat([$"pulls={OriginPulls}", $"certificates={OriginCertificates.Count}", $"client={ClientCertificates.Count}"])
        .Concat(new[] { CacheRules ?? [], Monitors, Pools, LoadBalancers }.Select(list => string.Join(',', list.Select(item => item.ToJsonString())))));

    public string NextId() => (++_ids).ToString("x32", CultureInfo.InvariantCulture);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? null : await request.Content.ReadAsStringAsync(cancellationToken);
        lock (_lock)
        {
            if (Answers.TryDequeue(out var instead))
            {
                return instead;
            }

            var (status, answer) = Answer(request, body);
            return new(status) { Content = new StringContent(answer.ToJsonString(), System.Text.Encoding.UTF8, "application/json") };
        }
    }

    private (HttpStatusCode Status, JsonObject Answer) Answer(HttpRequestMessage request, string? text)
    {
        var uri = request.RequestUri!;
        var what = $"{request.Method} {uri.AbsolutePath["/client/v4".Length..]}";
        if (!uri.AbsoluteUri.StartsWith(Address + "/", StringComparison.Ordinal))
        {
            return Refuse(what, HttpStatusCode.NotFound, 7003, "Could not route to it, perhaps your object identifier is invalid?");
        }

        if (request.Headers.Authorization is not { Scheme: "Bearer", Parameter: Token })
        {
            return Refuse(what, HttpStatusCode.Forbidden, 9109, "Invalid access token");
        }

        JsonObject? body = null;
        if (request.Method != HttpMethod.Get && request.Method != HttpMethod.Delete)
        {
            if (request.Content?.Headers.ContentType?.MediaType != "application/json" || JsonNode.Parse(text!) is not JsonObject node)
            {
                return Refuse(what, HttpStatusCode.BadRequest, 6007, "Malformed JSON in request body");
            }

            body = node;
        }

        var query = uri.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries).Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => Uri.UnescapeDataString(pair[1]));
        var path = what.Replace(ZoneId, "ZONE", StringComparison.Ordinal).Replace(AccountId, "ACCOUNT", StringComparison.Ordinal).Split('/', 2)[1].Split('/');
        var wrong = Wrong.Count;
        var (result, refusal) = Carry(request.Method.Method, path, query, body, what);
        if (refusal is { } refused)
        {
            return refused;
        }

        if (request.Method != HttpMethod.Get && Wrong.Count == wrong)
        {
            Writes.Add(what);
        }

        var envelope = new JsonObject { ["success"] = true, ["errors"] = new JsonArray(), ["messages"] = new JsonArray(), ["result"] = result };
        if (result is JsonArray all && query.TryGetValue("page", out var page) && query.TryGetValue("per_page", out var size))
        {
            var (number, each) = (int.Parse(page, CultureInfo.InvariantCulture), int.Parse(size, CultureInfo.InvariantCulture));
            envelope["result"] = new JsonArray([.. all.Skip((number - 1) * each).Take(each).Select(item => item!.DeepClone())]);
            envelope["result_info"] = new JsonObject { ["page"] = number, ["per_page"] = each, ["total_count"] = all.Count, ["total_pages"] = (all.Count + each - 1) / each };
        }

        return (HttpStatusCode.OK, envelope);
    }

    private (JsonNode? Result, (HttpStatusCode Status, JsonObject Answer)? Refusal) Carry(string method, string[] path, Dictionary<string, string> query, JsonObject? body, string what)
    {
        switch (method, path)
        {
            case ("GET", ["zones"]):
                return (query.GetValueOrDefault("name") == ZoneName
                    ? new JsonArray(new JsonObject { ["id"] = ZoneId, ["name"] = ZoneName, ["status"] = "active", ["account"] = new JsonObject { ["id"] = AccountId, ["name"] = "me" } })
                    : new JsonArray(), null);

            case ("GET", ["zones", "ZONE", "settings", var name]) when Settings.TryGetValue(name, out var value):
                return (new JsonObject { ["id"] = name, ["value"] = value, ["editable"] = true }, null);
            case ("PATCH", ["zones", "ZONE", "settings", var name]) when Settings.ContainsKey(name) && Has(body, ["value"]):
                string[] allowed = name == "ssl" ? ["off", "flexible", "full", "strict"] : ["auto", "custom"];
                if (!allowed.Contains(body!["value"]!.ToString()))
                {
                    return (null, Refuse(what, HttpStatusCode.BadRequest, 1007, $"Invalid value for zone setting {name}"));
                }

                Settings[name] = body["value"]!.ToString();
                return (new JsonObject { ["id"] = name, ["value"] = Settings[name], ["editable"] = true }, null);

            case ("GET", ["zones", "ZONE", "dns_records"]) when query.GetValueOrDefault("proxied") == "true":
                return (List(DnsRecords), null);

            case ("GET", ["certificates"]) when query.GetValueOrDefault("zone_id") == ZoneId:
                return (List(OriginCertificates), null);
            case ("POST", ["certificates"]) when Has(body, ["csr", "hostnames", "request_type", "requested_validity"]):
                return Issue(body!, what);
            case ("DELETE", ["certificates", var id]):
                return Remove(OriginCertificates, id, what);

            case ("GET", ["zones", "ZONE", "origin_tls_client_auth"]):
                foreach (var certificate in ClientCertificates.Where(_ => LooksUntilDeployed-- <= 0))
                {
                    certificate["status"] = "active";
                }

                return (List(ClientCertificates), null);
            case ("POST", ["zones", "ZONE", "origin_tls_client_auth"]) when Has(body, ["certificate", "private_key"]):
                using (X509Certificate2.CreateFromPem(body!["certificate"]!.ToString(), body["private_key"]!.ToString()))
                {
                    return (Keep(ClientCertificates, new() { ["certificate"] = body["certificate"]!.ToString(), ["status"] = "pending_deployment", ["enabled"] = true }), null);
                }

            case ("DELETE", ["zones", "ZONE", "origin_tls_client_auth", var id]):
                return Remove(ClientCertificates, id, what);
            case ("GET", ["zones", "ZONE", "origin_tls_client_auth", "settings"]):
                return (new JsonObject { ["enabled"] = OriginPulls }, null);
            case ("PUT", ["zones", "ZONE", "origin_tls_client_auth", "settings"]) when Has(body, ["enabled"]):
                OriginPulls = body!["enabled"]!.GetValue<bool>();
                return (new JsonObject { ["enabled"] = OriginPulls }, null);

            case ("GET", ["zones", "ZONE", "rulesets", "phases", "http_request_cache_settings", "entrypoint"]) when CacheRules is not null:
                return (RulesetNode(), null);
            case ("PUT", ["zones", "ZONE", "rulesets", "phases", "http_request_cache_settings", "entrypoint"]) when Has(body, ["rules"]) && body!["rules"]!.AsArray().All(IsRule):
                CacheRules = [.. body["rules"]!.AsArray().Select(rule => WithId(rule!))];
                return (RulesetNode(), null);
            case ("POST", ["zones", "ZONE", "rulesets", "rs", "rules"]) when CacheRules is not null && IsRule(body):
                CacheRules.Add(WithId(body!));
                return (RulesetNode(), null);
            case ("PATCH", ["zones", "ZONE", "rulesets", "rs", "rules", var id]) when CacheRules?.Find(rule => rule["id"]!.ToString() == id) is { } known && IsRule(body):
                CacheRules[CacheRules.IndexOf(known)] = WithId(body!, id);
                return (RulesetNode(), null);
            case ("DELETE", ["zones", "ZONE", "rulesets", "rs", "rules", var id]) when CacheRules is not null:
                return Remove(CacheRules, id, what);
            case ("POST", ["zones", "ZONE", "purge_cache"]) when (Has(body, ["files"]) || Has(body, ["prefixes"])) && body!.First().Value!.AsArray().Count is > 0 and <= 30:
                Purges.Add(body!);
                return (new JsonObject { ["id"] = ZoneId }, null);

            case (_, ["accounts", "ACCOUNT", "load_balancers", "monitors", ..]):
                return Collection(Monitors, method, path[4..], body, ["type", "method", "path", "expected_codes", "interval", "timeout", "retries", "allow_insecure"], ["description", "header"], what);
            case (_, ["accounts", "ACCOUNT", "load_balancers", "pools", ..]):
                return Collection(Pools, method, path[4..], body, ["name", "origins"], ["description", "enabled", "minimum_origins", "monitor"], what);
            case (_, ["zones", "ZONE", "load_balancers", ..]):
                return Collection(LoadBalancers, method, path[3..], body, ["name", "default_pools", "fallback_pool"], ["description", "enabled", "proxied", "steering_policy"], what);
            default:
                // Reading what is not there is no mistake of the caller's.
                return (null, method == "GET" && path is ["zones", "ZONE", ..] ? Answer(HttpStatusCode.NotFound, 10003, "could not find entrypoint ruleset") : Refuse($"{what} {body?.ToJsonString()}", HttpStatusCode.NotFound, 7003, $"Could not route to {what}"));
        }
    }

    private (JsonNode? Result, (HttpStatusCode Status, JsonObject Answer)? Refusal) Issue(JsonObject body, string what)
    {
        var names = body["hostnames"]!.AsArray().Select(name => name!.ToString()).ToList();
        if (names.Count is 0 or > 200 || names.Exists(name => name != ZoneName && !name.EndsWith("." + ZoneName, StringComparison.Ordinal)))
        {
            return (null, Refuse(what, HttpStatusCode.BadRequest, 1010, "Failed to validate requested hostname: this zone is either not part of your account, or you do not have access to it"));
        }

        var days = body["requested_validity"]!.GetValue<int>();
        if (body["request_type"]!.ToString() != "origin-ecc" || !Validities.Contains(days))
        {
            return (null, Refuse(what, HttpStatusCode.BadRequest, 1012, "Request Validity or Request Type is invalid"));
        }

        var csr = CertificateRequest.LoadSigningRequestPem(body["csr"]!.ToString(), HashAlgorithmName.SHA256);
        var request = new CertificateRequest(csr.SubjectName, csr.PublicKey, HashAlgorithmName.SHA256);
        var alternatives = new SubjectAlternativeNameBuilder();
        names.ForEach(alternatives.AddDnsName);
        request.CertificateExtensions.Add(alternatives.Build());
        var now = _time.GetUtcNow();
        using var certificate = request.Create(
            _authority.SubjectName,
            X509SignatureGenerator.CreateForECDsa(_authority.GetECDsaPrivateKey()!),
            now.AddMinutes(-5),
            now.AddDays(days),
            RandomNumberGenerator.GetBytes(16));
        return (Keep(OriginCertificates, new()
        {
            ["certificate"] = certificate.ExportCertificatePem(),
            ["csr"] = body["csr"]!.ToString(),
            ["hostnames"] = body["hostnames"]!.DeepClone(),
            ["expires_on"] = now.AddDays(days).ToString("yyyy-MM-dd HH:mm:ss +0000 'UTC'", CultureInfo.InvariantCulture),
            ["request_type"] = "origin-ecc",
            ["requested_validity"] = days,
        }), null);
    }

    private (JsonNode? Result, (HttpStatusCode Status, JsonObject Answer)? Refusal) Collection(
        List<JsonObject> items, string method, string[] rest, JsonObject? body, string[] required, string[] optional, string what)
    {
        var isRight = body is null || Has(body, required, [.. optional]);
        switch (method, rest)
        {
            case ("GET", []):
                return (List(items), null);
            case ("POST", []) when isRight && !items.Exists(item => item["name"] is { } name && name.ToString() == body!["name"]!.ToString()):
                return (Keep(items, body!.DeepClone().AsObject()), null);
            case ("PUT", [var id]) when isRight && items.Find(item => item["id"]!.ToString() == id) is { } known:
                items[items.IndexOf(known)] = WithId(body!, id);
                return (WithId(body!, id), null);
            case ("DELETE", [var id]) when Users(id) is { } user:
                return (null, Refuse(what, HttpStatusCode.Conflict, 1005, $"{id} is in use by {user}"));
            case ("DELETE", [var id]):
                return Remove(items, id, what);
            default:
                return (null, Refuse($"{what} {body?.ToJsonString()}", HttpStatusCode.BadRequest, 1002, "validation failed"));
        }
    }

    // Cloudflare refuses to delete what something else refers to.
    private string? Users(string id) => Pools.Concat(LoadBalancers).FirstOrDefault(item =>
        item["id"]!.ToString() != id && item.ToJsonString().Contains(id, StringComparison.Ordinal))?["name"]?.ToString();

    private static bool Has(JsonObject? body, string[] required, params string[] optional) =>
        body is not null && required.All(body.ContainsKey) && body.All(member => required.Contains(member.Key) || optional.Contains(member.Key));

    private static bool IsRule(JsonNode? node) => node is JsonObject rule
        && Has(rule, ["expression", "action"], "action_parameters", "description", "enabled", "ref")
        && rule["action"]!.ToString() == "set_cache_settings"
        && rule["action_parameters"] is JsonObject parameters
        && Has(parameters, ["cache"], "edge_ttl", "browser_ttl")
        && new[] { "edge_ttl", "browser_ttl" }.All(name => parameters[name] is null
            || (parameters[name]!["mode"]!.ToString() == "override_origin" && parameters[name]!["default"]!.GetValue<int>() >= 0)
            || parameters[name]!["mode"]!.ToString() == "respect_origin");

    private static JsonArray List(IEnumerable<JsonObject> items) => [.. items.Select(item => item.DeepClone())];

    private JsonObject Keep(List<JsonObject> items, JsonObject item)
    {
        items.Add(WithId(item));
        return items[^1].DeepClone().AsObject();
    }

    private JsonObject WithId(JsonNode node, string? id = null)
    {
        var item = node.DeepClone().AsObject();
        item["id"] = id ?? NextId();
        return item;
    }

    private JsonObject RulesetNode() => new()
    {
        ["id"] = "rs",
        ["kind"] = "zone",
        ["phase"] = "http_request_cache_settings",
        ["rules"] = List(CacheRules!),
        ["version"] = "1",
    };

    private (JsonNode? Result, (HttpStatusCode Status, JsonObject Answer)? Refusal) Remove(List<JsonObject> items, string id, string what) =>
        items.RemoveAll(item => item["id"]!.ToString() == id) > 0
            ? (new JsonObject { ["id"] = id }, null)
            : (null, Refuse(what, HttpStatusCode.NotFound, 1001, "not found"));

    private (HttpStatusCode Status, JsonObject Answer) Refuse(string what, HttpStatusCode status, int code, string message)
    {
        Wrong.Add($"{what}: {message}");
        return Answer(status, code, message);
    }

    private static (HttpStatusCode Status, JsonObject Answer) Answer(HttpStatusCode status, int code, string message) => (status, new()
    {
        ["success"] = false,
        ["errors"] = new JsonArray(new JsonObject { ["code"] = code, ["message"] = message }),
        ["messages"] = new JsonArray(),
        ["result"] = null,
    });
}
