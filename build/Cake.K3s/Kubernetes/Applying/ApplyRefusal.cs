using System.Text.RegularExpressions;
using Cake.K3s.Kubernetes.Api;
using Cake.K3s.Kubernetes.Manifests;

namespace Cake.K3s.Kubernetes.Applying;

/// <summary>Tells people why the API refuses objects, and what the ways out are.</summary>
internal static partial class ApplyRefusal
{
    /// <summary>Allows to delete and make anew an object that cannot be changed.</summary>
    public const string ReplaceAnnotation = "cake-k3s/replace";

    /// <summary>Whether a field cannot be changed once the object is there.</summary>
    public static bool IsImmutable(KubernetesApiException refusal) =>
        refusal.Reason == "Invalid"
        && refusal.Causes.Select(cause => cause.Message).Append(refusal.ApiMessage).Any(message =>
            message.Contains("field is immutable", StringComparison.OrdinalIgnoreCase)
            || (message.Contains("updates to", StringComparison.OrdinalIgnoreCase) && message.Contains("forbidden", StringComparison.OrdinalIgnoreCase))
            || message.Contains("may not change once set", StringComparison.OrdinalIgnoreCase));

    /// <summary>One failure for all objects that are refused.</summary>
    public static K3sException Of(IReadOnlyCollection<(Manifest Manifest, ObjectKey Key, KubernetesApiException Refusal)> refused, bool nothingChanged)
    {
        var details = refused.SelectMany(item => Lines(item.Manifest, item.Key, item.Refusal)).ToList();
        var steps = refused.Select(item => NextStep(item.Key, item.Refusal)).OfType<string>().Distinct(StringComparer.Ordinal).ToList();
        var count = refused.Count == 1 ? refused.First().Key.ToString() : $"{refused.Count} objects";
        return new(
            ExitCodes.Failed,
            $"the cluster refuses {count}{(nothingChanged ? "; nothing was changed" : "")}",
            steps.Count == 0 ? null : string.Join("; ", steps),
            details,
            refused.First().Refusal);
    }

    private static IEnumerable<string> Lines(Manifest manifest, ObjectKey key, KubernetesApiException refusal)
    {
        var start = $"{manifest.Place}: {key}: ";
        if (refusal.IsConflict && refusal.Causes.Length > 0)
        {
            return refusal.Causes.Select(cause => Manager().Match(cause.Message) is { Success: true } match
                ? $"{start}{cause.Field} is owned by {match.Groups[1].Value}"
                : $"{start}{cause}");
        }

        return refusal.Causes.Length > 0
            ? refusal.Causes.Select(cause => $"{start}{cause}")
            : [start + refusal.ApiMessage];
    }

    private static string? NextStep(ObjectKey key, KubernetesApiException refusal)
    {
        if (refusal.IsConflict)
        {
            return "--force-conflicts takes these fields over; or take them out of the manifest and leave them to their owner";
        }

        if (IsImmutable(refusal))
        {
            var where = key.Namespace is null ? "" : $" -n {key.Namespace}";
            return $"these fields cannot be changed in place: delete the object first (kubectl delete {key.Type.Kind.ToLowerInvariant()} {key.Name}{where}), "
                + $"give it another name, or annotate its manifest with {ReplaceAnnotation}: \"true\" to have every such change delete and make it anew";
        }

        return refusal.NextStep ?? (refusal.ApiMessage.Contains("field not declared in schema", StringComparison.Ordinal)
            ? $"correct the field's name or place in the manifest; those that there are: kubectl explain {key.Type.Kind.ToLowerInvariant()} --recursive"
            : "correct the manifest, and run the same command again");
    }

    // E.g. conflict with "kubectl-client-side-apply" using apps/v1
    [GeneratedRegex("conflict with (\"[^\"]+\".*)$")]
    private static partial Regex Manager();
}
