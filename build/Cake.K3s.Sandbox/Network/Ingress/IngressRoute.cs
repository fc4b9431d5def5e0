using Cake.K3s.Sandbox.Controllers.Client;
using k8s.Models;

namespace Cake.K3s.Sandbox.Network.Ingress;

/// <summary>One rule of an Ingress: which requests go to which port of which Service.</summary>
/// <param name="Host">In lower case; empty for every host, <c>*.</c> in front for any one label.</param>
/// <param name="Path">Begins with a slash.</param>
/// <param name="Exact">The path and nothing under it.</param>
/// <param name="Service">Where it goes.</param>
/// <param name="Port">The Service's port, by number or name.</param>
internal sealed record IngressRoute(string Host, string Path, bool Exact, ObjectKey Service, string Port)
{
    /// <summary>The middlewares that requests go through, as the Ingress' annotation names them.</summary>
    public IReadOnlyList<string> Middlewares { get; init; } = [];

    /// <summary>All rules of an Ingress.</summary>
    public static IEnumerable<IngressRoute> Of(V1Ingress ingress)
    {
        var middlewares = ingress.Metadata.Annotations?.TryGetValue(TraefikMiddleware.Annotation, out var names) == true
            ? names.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            : [];
        return Rules(ingress).Select(rule => rule with { Middlewares = middlewares });
    }

    private static IEnumerable<IngressRoute> Rules(V1Ingress ingress)
    {
        var ns = ingress.Metadata.NamespaceProperty;
        foreach (var rule in ingress.Spec.Rules ?? [])
        {
            foreach (var path in rule.Http?.Paths ?? [])
            {
                if (path.Backend.Service is { } service)
                {
                    yield return new((rule.Host ?? "").ToLowerInvariant(), string.IsNullOrEmpty(path.Path) ? "/" : path.Path, path.PathType == "Exact", new(ns, service.Name), PortOf(service));
                }
            }
        }

        if (ingress.Spec.DefaultBackend?.Service is { } fallback)
        {
            yield return new("", "/", false, new(ns, fallback.Name), PortOf(fallback));
        }
    }

    /// <summary>The route that a request takes: the most specific host, then exact paths, then the longest prefix.</summary>
    public static IngressRoute? Choose(IEnumerable<IngressRoute> routes, string host, string path) => routes
        .Where(route => route.Matches(host.ToLowerInvariant(), path))
        .OrderBy(route => route.Host.Length == 0 ? 2 : route.Host.StartsWith('*') ? 1 : 0)
        .ThenBy(route => route.Exact ? 0 : 1)
        .ThenByDescending(route => route.Path.Length)
        .FirstOrDefault();

    private bool Matches(string host, string path) => MatchesHost(host) && MatchesPath(path);

    private bool MatchesHost(string host) => Host.Length == 0 || Host == host
        || (Host.StartsWith("*.", StringComparison.Ordinal) && host.IndexOf('.', StringComparison.Ordinal) is var dot and > 0 && host[dot..] == Host[1..]);

    private bool MatchesPath(string path)
    {
        if (Exact)
        {
            return path == Path;
        }

        // By whole elements: /api takes /api and /api/x, not /apix.
        var prefix = Path.TrimEnd('/');
        return path.StartsWith(prefix, StringComparison.Ordinal) && (path.Length == prefix.Length || path[prefix.Length] == '/');
    }

    private static string PortOf(V1IngressServiceBackend service) => service.Port?.Number is { } number and > 0 ? $"{number}" : service.Port?.Name ?? "";
}
