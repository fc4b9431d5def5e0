using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Edge.Cloudflare;

/// <summary>Cloudflare refused a request, or did not answer one.</summary>
internal sealed class CloudflareException : K3sException
{
    private const string Again = "The same target again goes on where this one ended.";

    private CloudflareException(string message, string nextStep, HttpStatusCode status = default, Exception? cause = null)
        : base(ExitCodes.Failed, message, nextStep, innerException: cause) => Status = status;

    /// <summary>The answer's status; 0 where there was none.</summary>
    public HttpStatusCode Status { get; }

    /// <summary>An answer that says no.</summary>
    /// <param name="purpose">What the request was for.</param>
    /// <param name="status">The answer's status.</param>
    /// <param name="answer">The answer's envelope; null for what is none.</param>
    public static CloudflareException Of(string purpose, HttpStatusCode status, JsonObject? answer)
    {
        var errors = answer?["errors"] is JsonArray list ? list.OfType<JsonObject>().SelectMany(Texts).ToList() : [];
        return new(
            $"Cloudflare: cannot {purpose}: {(errors.Count > 0 ? string.Join("; ", errors) : $"it answered {(int)status}")}",
            AdviceFor(status),
            status);
    }

    /// <summary>An answer that does not have the published shape.</summary>
    public static CloudflareException Unreadable(string purpose, JsonException cause) =>
        new($"Cloudflare: cannot {purpose}: its answer is not as its API is described: {cause.Message}", $"See that edge.cloudflareApi is right. {Again}", cause: cause);

    /// <summary>No answer.</summary>
    public static CloudflareException Unreachable(string purpose, Uri address, HttpRequestException cause) =>
        new($"Cloudflare: cannot {purpose}: {address.Host} does not answer: {cause.GetBaseException().Message}", Again, cause: cause);

    // {"code": 1003, "message": "…", "error_chain": [{"code": 9103, "message": "…"}]}
    private static IEnumerable<string> Texts(JsonObject error) =>
        new[] { $"{error["message"]} ({error["code"]})".ReplaceLineEndings(" ") }
            .Concat(error["error_chain"] is JsonArray chain ? chain.OfType<JsonObject>().SelectMany(Texts) : []);

    private static string AdviceFor(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => "Give the token of edge.cloudflareToken the permissions that docs/edge.md lists, for this zone and its account.",
        HttpStatusCode.NotFound => "See that edge.cloudflareZone is right, and that the token may see it.",
        HttpStatusCode.TooManyRequests => $"Wait five minutes: Cloudflare takes 1200 requests in that time. {Again}",
        >= HttpStatusCode.InternalServerError => $"See www.cloudflarestatus.com. {Again}",
        _ => "Correct 'edge' of the environment in deploy.yaml; docs/edge.md describes it.",
    };
}
