using System.Text.Json.Nodes;
using Cake.K3s.Sandbox.ApiServer.Objects;
using Cake.K3s.Sandbox.ApiServer.Selectors;

namespace Cake.K3s.Sandbox.ApiServer.Admission.Policies;

/// <summary>Whether a policy's <c>matchConstraints</c>, or a binding's <c>matchResources</c>, are about a change.</summary>
internal static class PolicyMatch
{
    /// <param name="constraints">Null matches everything.</param>
    /// <param name="attempt">The change.</param>
    /// <param name="namespaceLabels">The labels of its namespace, or of the namespace that it is about; null for other objects of cluster scope.</param>
    public static bool Matches(JsonObject? constraints, AdmissionAttempt attempt, IReadOnlyDictionary<string, string>? namespaceLabels)
    {
        if (constraints is null)
        {
            return true;
        }

        if (namespaceLabels is not null && constraints.Object("namespaceSelector") is { } namespaces && !LabelSelector.Of(namespaces).Matches(namespaceLabels))
        {
            return false;
        }

        if (constraints.Object("objectSelector") is { } objects && !attempt.Labels.Any(LabelSelector.Of(objects).Matches))
        {
            return false;
        }

        var exact = constraints.Text("matchPolicy") == "Exact";
        return !constraints.Objects("excludeResourceRules").Any(rule => Rule(rule, attempt, exact))
            && (constraints.List("resourceRules") is not { Count: > 0 } || constraints.Objects("resourceRules").Any(rule => Rule(rule, attempt, exact)));
    }

    private static bool Rule(JsonObject rule, AdmissionAttempt attempt, bool exact)
    {
        var resource = attempt.Resource;
        return Has(rule, "operations", attempt.Operation)
            && Has(rule, "apiGroups", resource.Version.Group)
            && (!exact || Has(rule, "apiVersions", resource.Version.Version))
            && rule.Texts("resources").Any(pattern => Covers(pattern, resource.Plural, attempt.Subresource))
            && (rule.Text("scope") ?? "*") switch { "Namespaced" => resource.Namespaced, "Cluster" => !resource.Namespaced, _ => true }
            && (rule.List("resourceNames") is not { Count: > 0 } || rule.Texts("resourceNames").Contains(attempt.Name));
    }

    private static bool Has(JsonObject rule, string field, string value) => rule.Texts(field).Any(one => one == "*" || one == value);

    private static bool Covers(string pattern, string plural, string? subresource)
    {
        var slash = pattern.IndexOf('/', StringComparison.Ordinal);
        var (name, under) = slash < 0 ? (pattern, null) : (pattern[..slash], pattern[(slash + 1)..]);
        return (name == "*" || name == plural) && (under == subresource || (under == "*" && (subresource is not null || name == "*")));
    }
}
