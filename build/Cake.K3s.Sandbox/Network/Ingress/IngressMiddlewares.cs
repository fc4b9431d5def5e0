using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;
using Cake.K3s.Sandbox.Controllers.Client;

namespace Cake.K3s.Sandbox.Network.Ingress;

/// <summary>
/// Carries out the middlewares of requests as Traefik does, as far as they are headers of answers and limits of rate; others are let
/// pass. A request whose middleware is not there is not served: Traefik has no router for it.
/// </summary>
internal sealed class IngressMiddlewares(ClusterClient client, TimeProvider time, ILogger<IngressMiddlewares> logger)
{
    // Of its own, not of the shared cache: its kind comes later than the cluster's controllers, who would wait for it.
    private readonly Informer<TraefikMiddleware> _middlewares = new(client, logger);
    private readonly ConcurrentDictionary<(string Middleware, string Source), Bucket> _buckets = new();

    /// <summary>Follows the middlewares until it is cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => _middlewares.RunAsync(cancellationToken);

    /// <summary>Lets a request through, or answers it.</summary>
    /// <returns>Whether it goes on.</returns>
    public async Task<bool> PassAsync(HttpContext context, IReadOnlyCollection<string> references)
    {
        if (references.Count == 0)
        {
            return true;
        }

        var known = _middlewares.Items.ToDictionary(middleware => middleware.Reference);
        if (!references.All(known.ContainsKey))
        {
            await AnswerAsync(context, StatusCodes.Status404NotFound, "404 page not found\n");
            return false;
        }

        foreach (var middleware in references.Select(reference => known[reference]))
        {
            if (middleware.Spec.TryGetProperty("headers", out var headers))
            {
                context.Response.OnStarting(() =>
                {
                    Add(context.Response.Headers, headers);
                    return Task.CompletedTask;
                });
            }

            if (middleware.Spec.TryGetProperty("rateLimit", out var limit) && !Takes(middleware.Reference, limit, context))
            {
                await AnswerAsync(context, StatusCodes.Status429TooManyRequests, "Too Many Requests");
                return false;
            }
        }

        return true;
    }

    /// <summary>The answer's headers that Traefik sets for a middleware.</summary>
    internal static void Add(IHeaderDictionary answer, JsonElement headers)
    {
        foreach (var (field, name, value) in ((string, string, string)[])
        [
            ("frameDeny", "X-Frame-Options", "DENY"), ("contentTypeNosniff", "X-Content-Type-Options", "nosniff"), ("browserXssFilter", "X-XSS-Protection", "1; mode=block"),
        ])
        {
            if (headers.TryGetProperty(field, out var flag) && flag.ValueKind == JsonValueKind.True)
            {
                answer[name] = value;
            }
        }

        foreach (var (field, name) in ((string, string)[])
        [
            ("customFrameOptionsValue", "X-Frame-Options"), ("referrerPolicy", "Referrer-Policy"), ("permissionsPolicy", "Permissions-Policy"),
            ("contentSecurityPolicy", "Content-Security-Policy"), ("contentSecurityPolicyReportOnly", "Content-Security-Policy-Report-Only"),
        ])
        {
            if (headers.TryGetProperty(field, out var text) && text.GetString() is { Length: > 0 } value)
            {
                answer[name] = value;
            }
        }

        // Without TLS only where it is forced.
        if (headers.TryGetProperty("stsSeconds", out var seconds) && seconds.GetInt64() > 0 && Is(headers, "forceSTSHeader"))
        {
            answer["Strict-Transport-Security"] = string.Create(
                CultureInfo.InvariantCulture,
                $"max-age={seconds.GetInt64()}{(Is(headers, "stsIncludeSubdomains") ? "; includeSubDomains" : "")}{(Is(headers, "stsPreload") ? "; preload" : "")}");
        }

        if (headers.TryGetProperty("customResponseHeaders", out var custom))
        {
            foreach (var header in custom.EnumerateObject())
            {
                if (header.Value.GetString() is { Length: > 0 } value)
                {
                    answer[header.Name] = value;
                }
                else
                {
                    answer.Remove(header.Name);
                }
            }
        }
    }

    private static bool Is(JsonElement parent, string name) => parent.TryGetProperty(name, out var flag) && flag.ValueKind == JsonValueKind.True;

    private bool Takes(string middleware, JsonElement limit, HttpContext context)
    {
        var average = Number(limit, "average", 0);
        if (average == 0)
        {
            return true;
        }

        var source = limit.TryGetProperty("sourceCriterion", out var criterion) && criterion.TryGetProperty("requestHeaderName", out var header)
            ? context.Request.Headers[header.GetString() ?? ""].ToString()
            : context.Connection.RemoteIpAddress?.ToString() ?? "";
        return _buckets.GetOrAdd((middleware, source), _ => new()).Takes(average / Period(limit), Number(limit, "burst", 1), time.GetUtcNow());
    }

    private static double Number(JsonElement parent, string name, double otherwise) =>
        parent.TryGetProperty(name, out var number) && number.ValueKind == JsonValueKind.Number ? number.GetDouble() : otherwise;

    // In seconds; as text 1s or 1m.
    private static double Period(JsonElement limit) => !limit.TryGetProperty("period", out var period) ? 1
        : period.ValueKind == JsonValueKind.Number ? period.GetDouble()
        : period.GetString() is { Length: > 1 } text && double.TryParse(text[..^1], CultureInfo.InvariantCulture, out var count)
            ? count * (text[^1] == 'm' ? 60 : text[^1] == 'h' ? 3600 : 1)
            : 1;

    private static Task AnswerAsync(HttpContext context, int status, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(text, context.RequestAborted);
    }

    private sealed class Bucket
    {
        private readonly Lock _lock = new();
        private double _tokens = double.MaxValue;
        private DateTimeOffset _last;

        public bool Takes(double perSecond, double burst, DateTimeOffset now)
        {
            lock (_lock)
            {
                _tokens = Math.Min(Math.Max(burst, 1), _tokens + (perSecond * Math.Max(0, (now - _last).TotalSeconds)));
                _last = now;
                if (_tokens < 1)
                {
                    return false;
                }

                _tokens--;
                return true;
            }
        }
    }
}
