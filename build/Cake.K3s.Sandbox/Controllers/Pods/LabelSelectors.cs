using k8s.Models;

namespace Cake.K3s.Sandbox.Controllers.Pods;

/// <summary>Whether labels are selected.</summary>
internal static class LabelSelectors
{
    /// <summary>An empty selector selects everything, none at all nothing.</summary>
    public static bool Matches(V1LabelSelector? selector, IDictionary<string, string>? labels)
    {
        if (selector is null)
        {
            return false;
        }

        labels ??= new Dictionary<string, string>();
        return Matches(selector.MatchLabels, labels) && (selector.MatchExpressions ?? []).All(expression => Matches(expression, labels));
    }

    /// <summary>All of the wanted labels are there.</summary>
    public static bool Matches(IDictionary<string, string>? wanted, IDictionary<string, string>? labels) =>
        (wanted ?? new Dictionary<string, string>()).All(pair => labels is not null && labels.TryGetValue(pair.Key, out var value) && value == pair.Value);

    private static bool Matches(V1LabelSelectorRequirement expression, IDictionary<string, string> labels)
    {
        var has = labels.TryGetValue(expression.Key, out var value);
        return expression.OperatorProperty switch
        {
            "In" => has && expression.Values.Contains(value!),
            "NotIn" => !has || !expression.Values.Contains(value!),
            "Exists" => has,
            "DoesNotExist" => !has,
            _ => false,
        };
    }
}
