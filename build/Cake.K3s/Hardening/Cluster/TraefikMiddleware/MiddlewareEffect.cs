using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.TraefikMiddleware;

/// <summary>What requests show of middlewares. Reads their specs; sends nothing.</summary>
internal static class MiddlewareEffect
{
    /// <summary>The headers that every answer must have.</summary>
    public static ImmutableDictionary<string, string> Headers(IEnumerable<JsonObject> middlewares)
    {
        var wanted = ImmutableDictionary.CreateBuilder<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var headers in middlewares.Select(middleware => middleware.At("spec", "headers")).OfType<JsonObject>())
        {
            Flag("frameDeny", "X-Frame-Options", "DENY");
            Flag("contentTypeNosniff", "X-Content-Type-Options", "nosniff");
            Text("customFrameOptionsValue", "X-Frame-Options");
            Text("referrerPolicy", "Referrer-Policy");
            Text("permissionsPolicy", "Permissions-Policy");
            Text("contentSecurityPolicy", "Content-Security-Policy");
            foreach (var (name, value) in headers.Texts("customResponseHeaders").Where(header => header.Value.Length > 0))
            {
                wanted[name] = value;
            }

            void Flag(string field, string name, string value)
            {
                if (headers.Flag(field) == true)
                {
                    wanted[name] = value;
                }
            }

            void Text(string field, string name)
            {
                if (headers.Text(field) is { Length: > 0 } value)
                {
                    wanted[name] = value;
                }
            }
        }

        return wanted.ToImmutable();
    }

    /// <summary>The strictest limit of rate that counts by a header: the header, and how many requests at once are let through.</summary>
    public static (string Header, long Burst)? Limit(IEnumerable<JsonObject> middlewares) => middlewares
        .Select(middleware => middleware.At("spec", "rateLimit"))
        .Where(limit => limit.Text("sourceCriterion", "requestHeaderName") is not null && limit.Number("average") is > 0)
        .Select(limit => ((string Header, long Burst)?)(limit.Text("sourceCriterion", "requestHeaderName")!, Math.Max(1, limit.Number("burst") ?? 1)))
        .OrderBy(limit => limit!.Value.Burst)
        .FirstOrDefault();
}
