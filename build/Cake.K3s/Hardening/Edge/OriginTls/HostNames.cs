using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Edge.OriginTls;

/// <summary>Which names a certificate is for.</summary>
internal static class HostNames
{
    /// <summary>Whether a name of a certificate is for a host; a wildcard is for one level (RFC 6125, 6.4.3).</summary>
    public static bool Covers(string name, string host) =>
        name.Equals(host, StringComparison.OrdinalIgnoreCase)
        || (name.StartsWith("*.", StringComparison.Ordinal)
            && host.IndexOf('.', StringComparison.Ordinal) is > 0 and var dot
            && host[dot..].Equals(name[1..], StringComparison.OrdinalIgnoreCase));

    /// <summary>The hosts of Ingresses.</summary>
    public static IEnumerable<string> Of(IEnumerable<JsonObject> ingresses) =>
        ingresses.SelectMany(Of).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal);

    /// <summary>The hosts of an Ingress.</summary>
    public static IEnumerable<string> Of(JsonObject ingress) =>
        ingress.Objects("spec", "rules").Select(rule => rule.Text("host")).OfType<string>().Distinct(StringComparer.Ordinal);
}
