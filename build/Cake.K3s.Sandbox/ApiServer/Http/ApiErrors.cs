using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>The errors of the API with the wording of apimachinery's <c>errors</c> package.</summary>
internal static class ApiErrors
{
    public static ApiException NotFound(ResourceDefinition resource, string name)
        => new(404, "NotFound", $"{resource.QualifiedName} \"{name}\" not found", Details(resource, name, useKind: false));

    public static ApiException NoSuchPath()
        => new(404, "NotFound", "the server could not find the requested resource", new JsonObject());

    public static ApiException MethodNotAllowed()
        => new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", new JsonObject());

    public static ApiException AlreadyExists(ResourceDefinition resource, string name)
        => new(409, "AlreadyExists", $"{resource.QualifiedName} \"{name}\" already exists", Details(resource, name, useKind: false));

    public static ApiException Conflict(ResourceDefinition resource, string name)
        => Conflict(resource, name, "the object has been modified; please apply your changes to the latest version and try again");

    public static ApiException Conflict(ResourceDefinition resource, string name, string why)
        => new(409, "Conflict", $"Operation cannot be fulfilled on {resource.QualifiedName} \"{name}\": {why}", Details(resource, name, useKind: false));

    public static ApiException Forbidden(ResourceDefinition resource, string name, string why, params FieldError[] causes)
        => new(403, "Forbidden", name.Length == 0 ? $"{resource.QualifiedName} is forbidden: {why}" : $"{resource.QualifiedName} \"{name}\" is forbidden: {why}",
            Details(resource, name, useKind: false, causes));

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static ApiException UnsupportedMediaType(string accepted)
        => new(415, "UnsupportedMediaType", $"the body of the request was in an unknown format - accepted media types include: {accepted}");

    public static ApiException NotAcceptable(string accepted)
        => new(406, "NotAcceptable", $"only the following media types are accepted: {accepted}");

    public static ApiException Expired(string message) => new(410, "Expired", message);

    public static ApiException Gone(long asked, long oldest) => new(410, "Expired", $"too old resource version: {asked} ({oldest})");

    public static ApiException TooManyRequests(string message, int retryAfter, JsonObject? details = null)
        => new(429, "TooManyRequests", message, details) { RetryAfter = retryAfter };

    public static ApiException Internal(string message)
        => new(500, "InternalError", "Internal error occurred: " + message, new JsonObject { ["causes"] = new JsonArray(new JsonObject { ["message"] = message }) });

    /// <summary>422: what is wrong with which fields.</summary>
    public static ApiException Invalid(ResourceDefinition resource, string name, IReadOnlyList<FieldError> errors)
        => Invalid(resource.Version.Group, resource.Kind, name, errors);

    public static ApiException Invalid(string group, string kind, string name, IReadOnlyList<FieldError> errors)
    {
        var texts = errors.Select(error => error.ToString()).Distinct(StringComparer.Ordinal).ToArray();
        var list = texts.Length == 1 ? texts[0] : $"[{string.Join(", ", texts)}]";
        var qualified = group.Length == 0 ? kind : $"{kind}.{group}";
        var details = new JsonObject();
        AddIfAny(details, "name", name);
        AddIfAny(details, "group", group);
        details["kind"] = kind;
        details["causes"] = Causes(errors);
        return new ApiException(422, "Invalid", $"{qualified} \"{name}\" is invalid: {list}", details);
    }

    public static JsonObject Details(ResourceDefinition resource, string name, bool useKind, IReadOnlyList<FieldError>? causes = null)
    {
        var details = new JsonObject();
        AddIfAny(details, "name", name);
        AddIfAny(details, "group", resource.Version.Group);
        details["kind"] = useKind ? resource.Kind : resource.Plural;
        if (causes is { Count: > 0 })
        {
            details["causes"] = Causes(causes);
        }

        return details;
    }

    private static JsonArray Causes(IReadOnlyList<FieldError> errors)
        => [.. errors.Select(error => new JsonObject { ["reason"] = error.Reason, ["message"] = error.Text, ["field"] = error.Field })];

    private static void AddIfAny(JsonObject details, string field, string value)
    {
        if (value.Length > 0)
        {
            details[field] = value;
        }
    }
}
