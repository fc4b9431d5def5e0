using System.Text.Json.Nodes;
using Cake.K3s.Kubernetes.Api;

namespace Cake.K3s.Hardening.Cluster.NetworkPolicies;

/// <summary>Decides what a <c>LabelSelector</c> of the Kubernetes API selects.</summary>
internal static class LabelSelector
{
    /// <summary>Whether a selector matches labels. An empty selector matches everything; a missing one nothing.</summary>
    /// <exception cref="K3sException">It has an operator that the API does not know.</exception>
    public static bool Matches(JsonObject? selector, IReadOnlyDictionary<string, string> labels) =>
        selector is not null
        && selector.Texts("matchLabels").All(wanted => labels.TryGetValue(wanted.Key, out var value) && value == wanted.Value)
        && selector.Objects("matchExpressions").All(expression => IsMet(expression, labels));

    private static bool IsMet(JsonObject expression, IReadOnlyDictionary<string, string> labels)
    {
        var key = expression.Text("key") ?? "";
        var values = (expression["values"] as JsonArray ?? []).Select(value => value?.ToString()).ToHashSet();
        return expression.Text("operator") switch
        {
            "In" => labels.TryGetValue(key, out var value) && values.Contains(value),

            // Without the label it is not one of the values either.
            "NotIn" => !labels.TryGetValue(key, out var value) || !values.Contains(value),
            "Exists" => labels.ContainsKey(key),
            "DoesNotExist" => !labels.ContainsKey(key),
            var other => throw new K3sException(
                ExitCodes.Failed, $"a label selector has the operator '{other}', which Kubernetes does not have", "write In, NotIn, Exists or DoesNotExist"),
        };
    }
}
