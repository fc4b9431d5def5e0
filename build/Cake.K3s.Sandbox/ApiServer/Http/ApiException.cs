using System.Text.Json.Nodes;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>An answer that is an error, as a <c>Status</c> object in the API's own words.</summary>
internal sealed class ApiException(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    /// <summary>The machine-readable word: <c>NotFound</c>, <c>Conflict</c>; empty for an error that the API server itself has no word for.</summary>
    public string Reason { get; } = reason;

    /// <summary>Seconds the client should wait before it tries again; null when it need not.</summary>
    public int? RetryAfter { get; init; }

    public JsonObject Status()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason.Length > 0)
        {
            status["reason"] = Reason;
        }

        var content = (JsonObject?)details?.DeepClone();
        if (RetryAfter is { } seconds)
        {
            content ??= [];
            content["retryAfterSeconds"] = seconds;
        }

        if (content is not null)
        {
            status["details"] = content;
        }

        status["code"] = Code;
        return status;
    }
}
