using System.Net;
using System.Security.Authentication;
using System.Text.Json;

namespace Cake.K3s.Images.Registry;

/// <summary>Says why a registry did not do what it was asked to: a pure function of its answer.</summary>
internal static class RegistryFailure
{
    // Linux's errno for a full disk, as the distribution registry's storage driver reports it.
    private const string NoSpaceErrno = "\"Err\":28";

    /// <summary>The failure that a status and a body tell of.</summary>
    /// <param name="host">The registry.</param>
    /// <param name="doing">What was asked for, e.g. <c>push blob sha256:… to me/api</c>.</param>
    /// <param name="status">The answer's status.</param>
    /// <param name="body">The answer's body; may be empty.</param>
    public static K3sException Of(string host, string doing, HttpStatusCode status, string body)
    {
        var said = Said(body);
        var what = $"registry {host} did not {doing}: {(int)status}{(said.Length == 0 ? "" : " " + said)}";
        if (IsDiskFull(status, body))
        {
            return new(ExitCodes.Failed, $"registry {host} did not {doing}: its disk is full", "Free space on the registry (PruneRegistry lists what can go, then run its garbage collection) and run this again; what was uploaded is kept.", Lines(said));
        }

        return status switch
        {
            HttpStatusCode.Unauthorized => new(ExitCodes.Failed, what, $"Log in again: docker login {host}"),
            HttpStatusCode.Forbidden => new(ExitCodes.Failed, what, $"Give the user that 'docker login {host}' knows the right to write packages, or log in as another one."),
            HttpStatusCode.NotFound => new(ExitCodes.Failed, what, "Check 'registry' in deploy.yaml: host and path."),
            HttpStatusCode.RequestEntityTooLarge => new(ExitCodes.Failed, what, "Raise the size that the registry, or the proxy before it, takes in one request (nginx: client_max_body_size)."),
            HttpStatusCode.TooManyRequests => new(ExitCodes.Failed, what, "The registry's limit is used up; wait, or raise the quota."),
            >= HttpStatusCode.InternalServerError => new(ExitCodes.Failed, what + " (after several tries)", "Look at the registry's own log."),
            _ => new(ExitCodes.Failed, what, "Look at the registry's own log; --target=Doctor asks it whether this user may push."),
        };
    }

    /// <summary>The registry could not be reached, or went away in the middle, in every try.</summary>
    public static K3sException Unreachable(string host, string doing, Exception cause) => new(
        ExitCodes.Failed,
        $"registry {host} did not {doing}: {Innermost(cause)}",
        cause.InnerException is AuthenticationException or { InnerException: AuthenticationException }
            ? "Its certificate is not trusted here: name the certificate of its authority as 'registry.certificateAuthority' in deploy.yaml."
            : "Check that the registry runs and can be reached from here; 'insecure: true' is for one that speaks plain HTTP.",
        innerException: cause);

    /// <summary>The token server did not accept the credentials, or wants some.</summary>
    public static K3sException Refused(string host, bool hadCredentials, string body) => new(
        ExitCodes.Failed,
        hadCredentials ? $"registry {host} refused the user name and password that Docker has for it" : $"registry {host} wants a login and Docker has none for it",
        $"Log in: docker login {host}",
        Lines(Said(body)));

    /// <summary>Whether the registry's own disk is full: trying again does not help.</summary>
    public static bool IsDiskFull(HttpStatusCode status, string body) =>
        status == HttpStatusCode.InsufficientStorage
        || (status >= HttpStatusCode.InternalServerError
            && (body.Contains("no space left", StringComparison.OrdinalIgnoreCase) || body.Contains(NoSpaceErrno, StringComparison.Ordinal)));

    /// <summary>The codes of the registry's error document; empty if it sent none.</summary>
    public static IReadOnlyList<string> Codes(string body) => [.. Errors(body).Select(error => error.Code)];

    private static string Said(string body)
    {
        var errors = Errors(body);
        return errors.Count > 0
            ? string.Join("; ", errors.Select(error => $"{error.Code} {error.Message}".Trim()))
            : body.TrimStart().StartsWith('<') ? "" : Shorten(body.Trim());
    }

    private static string Shorten(string text) => text.ReplaceLineEndings(" ") is { Length: > 200 } line ? line[..200] + "…" : text.ReplaceLineEndings(" ");

    private static string[] Lines(string said) => said.Length == 0 ? [] : [said];

    private static List<(string Code, string Message)> Errors(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("errors", out var errors)
                && errors.ValueKind == JsonValueKind.Array
                ? [.. errors.EnumerateArray().Where(error => error.ValueKind == JsonValueKind.Object).Select(error => (Text(error, "code"), Text(error, "message")))]
                : [];
        }
        catch (JsonException)
        {
            // Proxies answer in HTML or plain text.
            return [];
        }
    }

    private static string Text(JsonElement error, string name) =>
        error.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static string Innermost(Exception cause) => cause.InnerException is { } inner ? Innermost(inner) : cause.Message;
}
