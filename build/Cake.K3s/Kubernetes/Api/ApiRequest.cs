using System.Net;

namespace Cake.K3s.Kubernetes.Api;

/// <summary>A request as data, so that it can be sent again.</summary>
/// <param name="Method">The HTTP method.</param>
/// <param name="Path">Path and query, relative to the server's address.</param>
/// <param name="Purpose">What it is for, for errors, e.g. <c>apply Deployment/api</c>.</param>
internal sealed record ApiRequest(HttpMethod Method, string Path, string Purpose)
{
    /// <summary>The JSON that is sent; empty for none.</summary>
    public ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>The media type of <see cref="Body"/>.</summary>
    public string ContentType { get; init; } = "application/json";

    /// <summary>The media types that are understood in return.</summary>
    public string Accept { get; init; } = "application/json";

    /// <summary>Whether it does no harm to send it again after an attempt that may have been carried out.</summary>
    public bool Repeatable { get; init; } = true;
}

/// <summary>What the API answered, in full.</summary>
/// <param name="StatusCode">The HTTP status.</param>
/// <param name="Body">The body.</param>
/// <param name="MayHaveRunBefore">Whether an earlier attempt, whose answer was lost, may have been carried out.</param>
internal sealed record ApiResponse(HttpStatusCode StatusCode, ReadOnlyMemory<byte> Body, bool MayHaveRunBefore)
{
    /// <summary>Whether the status is 2xx.</summary>
    public bool IsSuccess => (int)StatusCode is >= 200 and < 300;
}
