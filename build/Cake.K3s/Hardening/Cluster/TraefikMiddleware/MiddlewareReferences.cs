using System.Collections.Immutable;
using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.TraefikMiddleware;

/// <summary>The annotation by which an Ingress names the middlewares of Traefik that its requests go through.</summary>
internal static class MiddlewareReferences
{
    /// <summary>The annotation.</summary>
    public const string Annotation = "traefik.ingress.kubernetes.io/router.middlewares";

    private const string Provider = "@kubernetescrd";

    /// <summary>A Middleware as the annotation names it.</summary>
    public static string Of(JsonObject middleware) => Of(middleware.NamespaceName(), middleware.ObjectName());

    /// <summary>A Middleware as the annotation names it.</summary>
    public static string Of(string? ns, string? name) => $"{ns}-{name}{Provider}";

    /// <summary>The references of an Ingress, in order.</summary>
    public static ImmutableArray<string> Read(JsonObject? ingress) =>
        [.. (ingress.Annotation(Annotation) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    /// <summary>The annotation's value with further references: those that are there keep their place.</summary>
    public static string With(IEnumerable<string> present, IEnumerable<string> wanted) => string.Join(',', present.Union(wanted));

    /// <summary>The references to custom resources for which there is no Middleware: Traefik then serves the whole router with 404.</summary>
    public static IEnumerable<string> Missing(JsonObject ingress, IEnumerable<JsonObject> middlewares)
    {
        var known = middlewares.Select(Of).ToHashSet();
        return Read(ingress).Where(reference => reference.EndsWith(Provider, StringComparison.Ordinal) && !known.Contains(reference));
    }
}
