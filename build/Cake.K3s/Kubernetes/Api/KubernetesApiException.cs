using System.Collections.Immutable;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>The API refused a request; what it said in its <c>Status</c> object is kept.</summary>
public sealed class KubernetesApiException : K3sException
{
    private KubernetesApiException(
        string purpose,
        HttpStatusCode statusCode,
        string reason,
        string message,
        ImmutableArray<StatusCause> causes)
        : base(
            ExitCodes.Failed,
            $"{purpose}: {message}",
            NextStepFor(statusCode),
            causes.Length > 1 ? [.. causes.Select(cause => cause.ToString())] : null)
    {
        StatusCode = statusCode;
        Reason = reason;
        ApiMessage = message;
        Causes = causes;
    }

    /// <summary>The HTTP status.</summary>
    public HttpStatusCode StatusCode { get; }

    /// <summary>The API's own reason in one word, e.g. <c>NotFound</c>, <c>Conflict</c>, <c>Invalid</c>; empty if it gave none.</summary>
    public string Reason { get; }

    /// <summary>The API's own message.</summary>
    public string ApiMessage { get; }

    /// <summary>The fields that are to blame, as the API named them; may be empty.</summary>
    public ImmutableArray<StatusCause> Causes { get; }

    /// <summary>Whether the object exists already.</summary>
    public bool IsAlreadyExists => StatusCode == HttpStatusCode.Conflict && Reason == "AlreadyExists";

    /// <summary>Whether the object was changed since it was read, or another manager owns a field.</summary>
    public bool IsConflict => StatusCode == HttpStatusCode.Conflict && Reason != "AlreadyExists";

    /// <summary>Whether the object is not there.</summary>
    public bool IsNotFound => StatusCode == HttpStatusCode.NotFound;

    /// <summary>Whether the API refuses what was sent, as opposed to not being able to answer now.</summary>
    public bool IsRefusal => (int)StatusCode is >= 400 and < 500 || IsSchemaError(System.Text.Encoding.UTF8.GetBytes(ApiMessage));

    /// <summary>
    /// Whether an answer speaks of an unknown field. For an apply the API says that with 500, as if it were its own fault, and asking
    /// again brings nothing.
    /// </summary>
    internal static bool IsSchemaError(ReadOnlySpan<byte> answer) => answer.IndexOf("failed to create typed patch object"u8) >= 0;

    /// <summary>Reads what the API answered.</summary>
    /// <param name="purpose">What was tried, e.g. <c>apply Deployment/api</c>.</param>
    /// <param name="statusCode">The HTTP status.</param>
    /// <param name="body">The answer: a <c>Status</c> object, or whatever a proxy in between said.</param>
    internal static KubernetesApiException From(string purpose, HttpStatusCode statusCode, ReadOnlySpan<byte> body)
    {
        var status = ParseStatus(body);
        var message = status.Text("message")
            ?? $"the API answered {(int)statusCode} {statusCode}{Excerpt(body)}";
        var causes = status.Objects("details", "causes").Select(cause => new StatusCause(
            cause.Text("reason") ?? "",
            cause.Text("field"),
            cause.Text("message") ?? "")).ToImmutableArray();
        return new(purpose, statusCode, status.Text("reason") ?? "", message, causes);
    }

    private static JsonObject? ParseStatus(ReadOnlySpan<byte> body)
    {
        try
        {
            return JsonNode.Parse(body) is JsonObject node && node.Text("kind") == "Status" ? node : null;
        }
        catch (JsonException)
        {
            // A proxy's page, or nothing at all: then the HTTP status speaks.
            return null;
        }
    }

    private static string Excerpt(ReadOnlySpan<byte> body)
    {
        var text = System.Text.Encoding.UTF8.GetString(body[..Math.Min(body.Length, 200)]).ReplaceLineEndings(" ").Trim();
        return text.Length == 0 ? "" : $": {text}";
    }

    private static string? NextStepFor(HttpStatusCode statusCode) => statusCode switch
    {
        HttpStatusCode.Unauthorized => "check the credentials in the kubeconfig; they may have expired",
        HttpStatusCode.Forbidden => "give the kubeconfig's user this right, or use another; kubectl auth can-i --list shows what it may do",
        _ => null,
    };
}

/// <summary>One field that a request was refused for.</summary>
/// <param name="Reason">The API's word, e.g. <c>FieldValueInvalid</c> or <c>FieldManagerConflict</c>.</param>
/// <param name="Field">The field's path, e.g. <c>spec.replicas</c>; null if none is named.</param>
/// <param name="Message">What is wrong with it.</param>
public sealed record StatusCause(string Reason, string? Field, string Message)
{
    /// <summary>The field and what is wrong with it.</summary>
    public override string ToString() => Field is null ? Message : $"{Field}: {Message}";
}
