using System.Net;

namespace Cake.K3s.Sandbox.Controllers.Client;

/// <summary>The API answered with an error Status.</summary>
internal sealed class ApiException(HttpStatusCode code, string reason, string message) : Exception(message)
{
    public HttpStatusCode Code { get; } = code;

    /// <summary>The machine-readable reason of the Status, e.g. <c>AlreadyExists</c>.</summary>
    public string Reason { get; } = reason;

    public bool IsNotFound => Code == HttpStatusCode.NotFound;

    public bool IsConflict => Code == HttpStatusCode.Conflict;

    public bool IsAlreadyExists => Reason == "AlreadyExists";
}
