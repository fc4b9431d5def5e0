using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Access;
using Cake.K3s.Sandbox.ApiServer.Discovery;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.OpenApi;
using Cake.K3s.Sandbox.ApiServer.Resources;

namespace Cake.K3s.Sandbox.ApiServer.Http;

/// <summary>Answers every request: who it is, what it is about, and every failure as a Status.</summary>
internal sealed class ApiHandler(
    ApiServerOptions options,
    ResourceCatalog catalog,
    Authenticator authenticator,
    Authorizer authorizer,
    Impersonation impersonation,
    DiscoveryDocuments discovery,
    OpenApiDocuments openApi,
    ObjectRequests objects,
    IHostApplicationLifetime lifetime,
    ILogger<ApiHandler> logger)
{
    /// <summary>
    /// The document of gnostic's protobuf form without a definition: swagger "2.0", info, paths and definitions. kubectl asks for it when a kind is in
    /// no document of version 3, only to learn that it is in none at all.
    /// </summary>
    private static readonly byte[] EmptyOpenApi = [0x0A, 3, .. "2.0"u8, 0x12, 16, 0x0A, 10, .. "Kubernetes"u8, 0x12, 2, .. "v1"u8, 0x42, 0, 0x4A, 0];

    public async Task HandleAsync(HttpContext context)
    {
        try
        {
            if (context.Request.Path.Value is "/healthz" or "/livez" or "/readyz" or "/version" or "/version/")
            {
                await HandleOpenAsync(context).ConfigureAwait(false);
                return;
            }

            context.Items[typeof(ApiUser)] = impersonation.Apply(context.Request, authenticator.Authenticate(context) ?? throw ApiErrors.Unauthorized());
            await HandleApiAsync(context).ConfigureAwait(false);
        }
        catch (ApiException exception)
        {
            await ApiResponse.FailAsync(context, exception).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested || lifetime.ApplicationStopping.IsCancellationRequested)
        {
            // The client has left, or the server is leaving: there is nobody to answer.
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            logger.LogError(exception, "{Method} {Path} failed", context.Request.Method, context.Request.Path);
            await ApiResponse.FailAsync(context, ApiErrors.Internal(exception.Message)).ConfigureAwait(false);
        }
    }

    private async Task HandleOpenAsync(HttpContext context)
    {
        if (context.Request.Path.StartsWithSegments("/version"))
        {
            await ApiResponse.WriteAsync(context, 200, Version()).ConfigureAwait(false);
            return;
        }

        context.Response.ContentType = "text/plain; charset=utf-8";
        await context.Response.WriteAsync("ok", context.RequestAborted).ConfigureAwait(false);
    }

    private async Task HandleApiAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!.TrimEnd('/');
        var segments = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        var current = catalog.Current;
        if (segments is ["openapi", "v2"] && context.Request.Headers.Accept.ToString().Contains("proto-openapi.spec.v2", StringComparison.Ordinal))
        {
            await WriteDocumentAsync(context, EmptyOpenApi, "application/com.github.proto-openapi.spec.v2.v1.0+protobuf").ConfigureAwait(false);
            return;
        }

        if (segments is ["openapi", ..])
        {
            await WriteDocumentAsync(context, openApi.Find(current, path), "application/json").ConfigureAwait(false);
            return;
        }

        if (segments is ["api" or "apis"] or ["api", _] or ["apis", _] or ["apis", _, _])
        {
            var aggregated = segments.Length == 1 ? AggregatedVersion(context.Request.Headers.Accept.ToString()) : null;
            var contentType = aggregated is null ? "application/json" : $"application/json;g=apidiscovery.k8s.io;v={aggregated};as=APIGroupDiscoveryList";
            await WriteDocumentAsync(context, discovery.Find(current, path, aggregated), contentType).ConfigureAwait(false);
            return;
        }

        for (var at = 0; at < segments.Length; at++)
        {
            segments[at] = Uri.UnescapeDataString(segments[at]);
        }

        var target = RequestTarget.Parse(segments, current) ?? throw ApiErrors.NoSuchPath();
        authorizer.Check((ApiUser)context.Items[typeof(ApiUser)]!, target.Resource, AccessRequest.Of(context, target));
        await objects.HandleAsync(context, target).ConfigureAwait(false);
    }

    private static string? AggregatedVersion(string accept)
    {
        if (!accept.Contains("as=APIGroupDiscoveryList", StringComparison.Ordinal))
        {
            return null;
        }

        return accept.Contains("v=v2;", StringComparison.Ordinal) || accept.Contains("v=v2,", StringComparison.Ordinal) || accept.EndsWith("v=v2", StringComparison.Ordinal)
            ? "v2"
            : "v2beta1";
    }

    private static async Task WriteDocumentAsync(HttpContext context, byte[]? document, string contentType)
    {
        if (document is null)
        {
            throw ApiErrors.NoSuchPath();
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            throw ApiErrors.MethodNotAllowed();
        }

        context.Response.ContentType = contentType;
        context.Response.ContentLength = document.Length;
        if (!HttpMethods.IsHead(context.Request.Method))
        {
            await context.Response.BodyWriter.WriteAsync(document, context.RequestAborted).ConfigureAwait(false);
        }
    }

    private JsonObject Version()
    {
        var parts = options.KubernetesVersion.Split('.');
        return new JsonObject
        {
            ["major"] = parts[0],
            ["minor"] = parts.Length > 1 ? parts[1] : "0",
            ["gitVersion"] = "v" + options.KubernetesVersion,
            ["gitCommit"] = "",
            ["gitTreeState"] = "clean",
            ["buildDate"] = ObjectAccess.Rfc3339(DateTimeOffset.UnixEpoch),
            ["goVersion"] = "",
            ["compiler"] = "dotnet",
            ["platform"] = "linux/amd64",
        };
    }
}
